"""The real web process: uvicorn with a database, a file store and a Redis of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support.waiting import until


@dataclass
class WebServer:
    """A running server; `manage` runs Python inside its environment, with Django set up."""

    url: str
    home: Path
    environment: dict[str, str] = field(repr=False)

    def python(self, code: str) -> str:
        """Run `code` where the server's models are; returns what it prints."""
        program = f"import django; django.setup()\nfrom vr.server.models import *\n{code}"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def web_server(
    home: Path, redis_url: str, extra: Mapping[str, str] | None = None
) -> Iterator[WebServer]:
    """Migrate a new SQLite database in `home` and serve it on a free port of loopback."""
    home.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "vr.server.settings",
        "VR_HOME": str(home),
        "VR_SECRET_KEY": "only-for-tests",
        "VR_REDIS_URL": redis_url,
        "VR_LOCAL_HOST": "testhost",
        **(extra or {}),
    }
    manage = [sys.executable, "-m", "vr.server.manage"]
    subprocess.run([*manage, "migrate", "-v", "0"], env=environment, check=True)
    port = free_port()
    log = home / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "vr.server.asgi:application"),
                *("--port", str(port), "--timeout-graceful-shutdown", "1"),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is None and _answers(url), f"the web process answers ({log})")
        yield WebServer(url=url, home=home, environment=environment)
    finally:
        process.terminate()
        process.wait(15)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/").status_code < 500
    except httpx.TransportError:
        return False
