"""A real DEA, and a bus client that speaks and listens to it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nats
import yaml

from support.nats_server import NatsServer
from support.waiting import until
from vr.container import cgroups
from vr.dea.folders import container_name

RUNTIMES = {
    name: found
    for name in ("ruby", "node", "php", "nginx", "python3", "java")
    # What a container with the host's system can see.
    if (found := shutil.which(name, path="/usr/sbin:/usr/bin"))
}

SERVE = (
    "cd app; env > env; trap 'echo term >> ../logs/signals; exit 0' TERM\n"
    'python3 -m http.server "$PORT" & wait'
)
"""A startup script: a web server for app/, which holds the environment in `env`."""


class Listener:
    """Everything that is said on the bus, in order, and a voice."""

    def __init__(self, uri: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._client = self._run(self._connect(uri))

    def say(self, subject: str, message: dict[str, Any] | bytes) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self._run(self._client.publish(subject, data))

    def ask(self, subject: str, message: dict[str, Any], seconds: float = 5) -> dict[str, Any]:
        data = json.dumps(message).encode()
        answer = self._run(self._client.request(subject, data, seconds))
        document: dict[str, Any] = json.loads(answer.data)
        return document

    def messages(self, subject: str, **fields: Any) -> list[dict[str, Any]]:
        """Those on the subject that have these fields."""
        return [
            message
            for where, message in list(self.heard)
            if where == subject and all(message.get(key) == fields[key] for key in fields)
        ]

    def wait(self, subject: str, **fields: Any) -> dict[str, Any]:
        """The first such message, once it is there."""
        found = until(lambda: self.messages(subject, **fields), f"{subject} says {fields}")
        return found[0]

    def close(self) -> None:
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _connect(self, uri: str) -> Any:
        client = await nats.connect(uri)

        async def listen(message: Any) -> None:
            try:
                document = json.loads(message.data)
            except ValueError:
                return
            if isinstance(document, dict):
                self.heard.append((message.subject, document))

        await client.subscribe(">", cb=listen)
        await client.flush()
        return client

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)


@dataclass
class Dea:
    """One vdea with a base_dir of its own; can be killed and started again."""

    nats: NatsServer
    bus: Listener
    folder: Path
    keys: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    id: str = ""

    @property
    def base(self) -> Path:
        return self.folder / "dea"

    @property
    def log(self) -> str:
        return (self.folder / "dea.log").read_text()

    def start(self, **keys: Any) -> None:
        self.keys |= keys
        config = self.folder / "dea.yml"
        values = {
            "nats_uri": self.nats.uri,
            "base_dir": str(self.base),
            "pid_filename": str(self.folder / "dea.pid"),
            "logging": {"level": "debug2"},
            "runtimes": RUNTIMES,
            "stop_timeout": 5,
        }
        config.write_text(yaml.safe_dump(values | self.keys))
        before = len(self.bus.messages("dea.start"))
        with (self.folder / "dea.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vr.dea.main", "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until(lambda: len(self.bus.messages("dea.start")) > before, "the DEA says that it starts")
        self.id = self.bus.messages("dea.start")[-1]["id"]

    def run(self, droplet: str, sha1: str, file: Path | str, /, **changes: Any) -> None:
        """Send a start message."""
        message = {
            "droplet": droplet,
            "index": 0,
            "name": droplet,
            "uris": [f"{droplet}.example.org"],
            "version": "1",
            "sha1": sha1,
            "executableFile": str(file),
            "runtime": "",
            "limits": {"mem": 128, "disk": 64, "fds": 256},
            "env": [],
        }
        self.bus.say(f"dea.{self.id}.start", message | changes)

    def running(self, droplet: str) -> dict[str, Any]:
        """Its registration with the router, once it runs; fails with its logs if it ended."""

        def said() -> list[dict[str, Any]]:
            subjects = ("router.register", "droplet.exited")
            by = {"router.register": "app", "droplet.exited": "droplet"}
            return [m for s in subjects for m in self.bus.messages(s, **{by[s]: droplet})]

        message = until(said, f"{droplet} runs, or has ended", seconds=40)[0]
        assert "reason" not in message, f"{message}\n{self.logs(message['instance'])}"
        return message

    def logs(self, instance: str) -> str:
        folder = self.base / "instances" / instance
        paths = [folder / "startup.log", *(folder / "droplet" / "logs").glob("*")]
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')}" for path in paths if path.exists()
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(40)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop()
        left = list((self.base / "instances").iterdir()) if self.base.exists() else []
        assert [cgroups.processes(container_name(path.name)) for path in left] == [set()] * len(
            left
        )
        assert str(self.base) not in Path("/proc/mounts").read_text()


def page(where: dict[str, Any], path: str) -> str:
    """A page of the instance that is registered like this."""
    return httpx.get(f"http://{where['host']}:{where['port']}/{path}", trust_env=False).text


@contextmanager
def dea(server: NatsServer, folder: Path) -> Iterator[Dea]:
    """Not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    listener = Listener(server.uri)
    running = Dea(server, listener, folder)
    try:
        yield running
    finally:
        running.close()
        listener.close()
