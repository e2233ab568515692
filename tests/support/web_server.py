"""The real web process: uvicorn with a database, a file store and a Redis of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from support.ports import free_port
from support.waiting import until

# Runs snippets one after another; each answers with a line of JSON: did it work, what it printed.
_SNIPPETS = """
import contextlib, io, json, sys, traceback
import django
django.setup()
from vr.server.models import *
names = dict(globals())
for line in sys.stdin:
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), dict(names))
        answer = [True, printed.getvalue()]
    except BaseException:
        answer = [False, traceback.format_exc()]
    print(json.dumps(answer), flush=True)
"""


@dataclass
class WebServer:
    """A running server, and a process beside it for Python in its environment."""

    url: str
    home: Path
    environment: dict[str, str] = field(repr=False)
    pid: int
    snippets: subprocess.Popen[str] = field(repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def python(self, code: str) -> str:
        """Run `code` where the server's models are; returns what it prints."""
        assert self.snippets.stdin and self.snippets.stdout
        with self._turn:
            self.snippets.stdin.write(json.dumps(code) + "\n")
            self.snippets.stdin.flush()
            answer = self.snippets.stdout.readline()
        worked, text = json.loads(answer)
        assert worked, text
        return str(text).strip()


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
        with subprocess.Popen(
            [sys.executable, "-c", _SNIPPETS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as snippets:
            server = WebServer(url, home, environment, process.pid, snippets)
            # Meanwhile the web process starts.
            server.python(
                "from django.core.management import call_command\n"
                "call_command('migrate', verbosity=0)"
            )
            until(lambda: process.poll() is None and _answers(url), f"it answers (see {log})")
            yield server
    finally:
        process.terminate()
        process.wait(15)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/").status_code < 500
    except httpx.TransportError:
        return False
