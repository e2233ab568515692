"""Real stagers, and requests to them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import yaml

from support.cloud import Cloud, zipped
from support.nats_server import NatsServer
from support.procs import Running
from support.waiting import until
from vr.container import cgroups
from vr.stager.client import StagingReply, request_staging

SINATRA_RULES = [
    {"*.rb": "\\s*require[\\s\\(]*['\"]sinatra(/base)?['\"]"},
    {"config/environment.rb": False},
]
SINATRA_APP = {"app.rb": "require 'sinatra'\nget('/') { 'Hello from Sinatra' }\n"}
UNUSUAL_APP = zipped({**SINATRA_APP, ".hidden": "x", "run.sh": "#!/bin/sh\n"})


@dataclass
class StagerProcess(Running):
    pid_file: Path


@dataclass
class Stagers:
    """Stagers that share a queue and a folder for their tasks, as on one host."""

    nats: NatsServer
    cloud: Cloud
    folder: Path
    queue: str = field(default_factory=lambda: f"staging{secrets.token_hex(4)}")
    running: list[StagerProcess] = field(default_factory=list)

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    @property
    def temporary(self) -> Path:
        """TMPDIR of all of them: nothing is to stay there, and its path is long."""
        return self.folder / ("temporary" * 15)

    def start(self, **keys: Any) -> StagerProcess:
        return self.start_several(1, **keys)[0]

    def start_several(self, count: int, **keys: Any) -> list[StagerProcess]:
        """Start so many at once, and wait until all of them serve."""
        started = self.launch(count, **keys)
        for each in started:
            each.shows("Server running")
        return started

    def launch(self, count: int, **keys: Any) -> list[StagerProcess]:
        """Start so many, which may not serve yet."""
        return [self._launch(keys) for _ in range(count)]

    def _launch(self, keys: dict[str, Any]) -> StagerProcess:
        number = len(self.running)
        config = self.folder / f"stager{number}.yml"
        pid_file = self.folder / f"stager{number}.pid"
        values = {
            "logging": {"level": "debug2"},
            "pid_filename": str(pid_file),
            "nats_uri": self.nats.uri,
            "max_staging_duration": 60,
            "max_active_tasks": 4,
            "queues": [self.queue],
            "dirs": {"tmp": str(self.tmp)},
            "plugins": {"buildpack": {"local_buildpacks": True}},
        }
        config.write_text(yaml.safe_dump(values | keys))
        log = self.folder / f"stager{number}.log"
        self.temporary.mkdir(exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "vr.stager.main", "-c", str(config)],
                env=os.environ | {"TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started = StagerProcess(process, log, pid_file)
        self.running.append(started)
        return started

    def close(self) -> None:
        """End all, and see that nothing of them is left."""
        self.cloud.gate.set()
        for each in self.running:
            if each.process.poll() is None:
                each.process.terminate()
        for each in self.running:
            each.process.wait(40)
        until(lambda: self.workspaces == [], "no workspace is left")
        until(lambda: self.processes() == [], "no process of a task is left")
        if self.running:
            assert [*self.temporary.iterdir()] == []

    @property
    def workspaces(self) -> list[str]:
        if not self.tmp.exists():
            return []
        return [path.name for path in self.tmp.iterdir() if path.is_dir()]

    def processes(self) -> list[int]:
        """Those in containers of tasks on this queue's folder."""
        return [pid for name in self.workspaces for pid in cgroups.processes(f"vstage-{name}")]

    def request(self, name: str, **changes: Any) -> dict[str, Any]:
        """A good request for the app `name`, with changes; None removes a field."""
        values = {
            "app_id": name,
            "download_uri": self.cloud.url(f"app/{name}"),
            "upload_uri": self.cloud.url(f"droplet/{name}"),
            "properties": properties("sinatra", detection=SINATRA_RULES),
        }
        return {key: value for key, value in (values | changes).items() if value is not None}

    def ask(self, *requests: dict[str, Any], **options: Any) -> list[StagingReply]:
        """Send all at once, wait for all answers."""
        return asyncio.run(self._ask(requests, options))

    def ask_later(self, *requests: dict[str, Any], **options: Any) -> Future[list[StagingReply]]:
        """As `ask`, in the background."""
        return ThreadPoolExecutor(1).submit(self.ask, *requests, **options)

    def gated(self, count: int) -> list[dict[str, Any]]:
        """Requests for the app `app` whose download waits until the gate opens."""
        url = self.cloud.url("gated/app")
        names = [f"app{number}" for number in range(count)]
        uploads = [self.cloud.url(f"droplet/{name}") for name in names]
        return [self.request("app", download_uri=url, upload_uri=upload) for upload in uploads]

    def stage(self, name: str, **changes: Any) -> StagingReply:
        return self.ask(self.request(name, **changes))[0]

    def raw(self, payload: bytes, timeout: float = 20) -> dict[str, Any]:
        """The answer to any bytes at all."""

        async def send() -> bytes:
            client = await nats.connect(self.nats.uri)
            try:
                return bytes((await client.request(self.queue, payload, timeout)).data)
            finally:
                await client.close()

        answer: dict[str, Any] = json.loads(asyncio.run(send()))
        return answer

    def scripts(self, name: str) -> dict[str, str]:
        """The texts of the droplet's files outside of `app/`."""
        with tarfile.open(self.cloud.droplet(name)) as archive:
            return {
                entry.name.removeprefix("./"): archive.extractfile(entry).read().decode()  # type: ignore[union-attr]
                for entry in archive
                if entry.isreg() and not entry.name.startswith("./app/")
            }

    def names(self, name: str) -> list[str]:
        with tarfile.open(self.cloud.droplet(name)) as archive:
            return archive.getnames()

    async def _ask(
        self, requests: tuple[dict[str, Any], ...], options: dict[str, Any]
    ) -> list[StagingReply]:
        client = await nats.connect(
            self.nats.uri, max_reconnect_attempts=-1, reconnect_time_wait=0.2
        )
        try:
            waiting = [
                request_staging(client, self.queue, each, **{"timeout": 60, **options})
                for each in requests
            ]
            return await asyncio.gather(*waiting)
        finally:
            await client.close()


def properties(framework: str, **changes: Any) -> dict[str, Any]:
    info = {"name": framework, "runtimes": [], "detection": changes.pop("detection", [])}
    return {
        "services": [],
        "framework_info": info,
        "runtime_info": {"name": "", "executable": "", "version": ""},
        "resources": {"memory": 256, "disk": 256, "fds": 1024},
        **changes,
    }


def buildpack(folder: Path, compile: str, name: str = "pack") -> str:
    """A buildpack of these shell lines, with a web process; returns its path."""
    pack = folder / name
    (pack / "bin").mkdir(parents=True)
    release = "echo 'default_process_types: {web: echo hello}'"
    for script, lines in {"detect": "echo Test", "compile": compile, "release": release}.items():
        path = pack / "bin" / script
        path.write_text(f"#!/bin/bash\n{lines}\n")
        path.chmod(0o755)
    return str(pack)


@contextmanager
def stagers(nats_server: NatsServer, cloud: Cloud, folder: Path) -> Iterator[Stagers]:
    folder.mkdir(parents=True, exist_ok=True)
    pool = Stagers(nats_server, cloud, folder)
    try:
        yield pool
    finally:
        pool.close()
