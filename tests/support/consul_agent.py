"""A Consul agent of one's own, in memory, on private ports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_ports
from support.waiting import until


class ConsulAgent:
    """`settings` are further keys of the agent's configuration file."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._settings = settings or {}
        self.port, *self._ports = free_ports(3)
        self.address = f"127.0.0.1:{self.port}"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        lan, server = self._ports
        ports = {"dns": -1, "grpc": -1, "serf_wan": -1, "serf_lan": lan, "server": server}
        ports["http"] = self.port
        settings = {"ports": ports, "disable_update_check": True, **self._settings}
        if "ports" in self._settings:
            settings["ports"] = {**ports, **self._settings["ports"]}
        (self._folder / "agent.json").write_text(json.dumps(settings))
        argv = ["consul", "agent", "-dev", "-bind=127.0.0.1", "-node=test", "-log-level=warn"]
        argv.append(f"-config-file={self._folder / 'agent.json'}")
        with (self._folder / "consul.log").open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )
        until(self._ready, "Consul answers", seconds=30)

    def _ready(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "Consul has died"
        try:
            return bool(self.get("/v1/catalog/nodes") and self.get("/v1/health/node/test"))
        except (httpx.HTTPError, ValueError):
            return False

    def stop(self) -> None:
        """Its data is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def pause(self, signal: int) -> None:
        """SIGSTOP and SIGCONT: connections are taken, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal)

    def get(self, path: str) -> Any:
        headers = {"X-Consul-Token": self.token} if self.token else {}
        answer = httpx.get(f"http://{self.address}{path}", headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def put(self, path: str, body: Any = None) -> None:
        headers = {"X-Consul-Token": self.token} if self.token else {}
        httpx.put(
            f"http://{self.address}{path}", json=body, headers=headers, timeout=5
        ).raise_for_status()

    def service(self, id: str) -> dict[str, Any] | None:
        """The agent's registration of this id."""
        found: dict[str, Any] | None = self.get("/v1/agent/services").get(id)
        return found

    def status(self, id: str) -> str:
        """`passing`, `critical`, or empty if there is no such check."""
        return str(self.get("/v1/agent/checks").get(id, {}).get("Status", ""))


@contextmanager
def consul_agent(folder: Path) -> Iterator[ConsulAgent]:
    """One that runs, until the block ends."""
    agent = ConsulAgent(folder)
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()
