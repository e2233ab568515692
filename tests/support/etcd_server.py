"""An etcd of one's own with its v2 and v3 APIs, on private ports."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx

from support.ports import free_ports
from support.waiting import until


class EtcdServer:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.port, self._peer_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        peer = f"http://127.0.0.1:{self._peer_port}"
        argv = ["etcd", "--name", "test", "--data-dir", str(self._folder / "data")]
        argv += ["--enable-v2=true", "--unsafe-no-fsync", "--logger", "zap"]
        argv += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        argv += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        argv += ["--initial-cluster", f"test={peer}", "--log-level", "error"]
        with (self._folder / "etcd.log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self._ready, "etcd answers", seconds=30)

    def _ready(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (
            "etcd has died:\n" + (self._folder / "etcd.log").read_text()
        )
        try:
            return bool(httpx.get(f"{self.url}/health", timeout=2).json()["health"] == "true")
        except (httpx.HTTPError, ValueError):
            return False

    def stop(self, *, forget: bool = False) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
        if forget:
            shutil.rmtree(self._folder / "data", ignore_errors=True)

    def services(self, api: int, name: str, prefix: str = "/containerpilot") -> list[Any]:
        """The JSON of every instance of a service."""
        if api == 3:
            return self._services_v3(f"{prefix}/{name}/")
        answer = httpx.get(f"{self.url}/v2/keys{prefix}/{name}?recursive=true", timeout=5).json()
        directories = answer.get("node", {}).get("nodes", [])
        leaves = [leaf for each in directories for leaf in each.get("nodes", [])]
        return [json.loads(leaf["value"]) for leaf in leaves]

    def _services_v3(self, start: str) -> list[Any]:
        asked = {"key": _encoded(start), "range_end": _encoded(start[:-1] + "0")}
        answer = httpx.post(f"{self.url}/v3/kv/range", json=asked, timeout=5).json()
        return [json.loads(base64.b64decode(kv["value"])) for kv in answer.get("kvs", [])]

    def delete_all(self, api: int, prefix: str = "/containerpilot") -> None:
        if api == 3:
            asked = {"key": _encoded(prefix + "/"), "range_end": _encoded(prefix + "0")}
            httpx.post(f"{self.url}/v3/kv/deleterange", json=asked, timeout=5)
        else:
            httpx.delete(f"{self.url}/v2/keys{prefix}?recursive=true&dir=true", timeout=5)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
