"""A second web process, which serves while the stack's own is replaced.

It is the new code already, at the same socket. Ended with `vr up`, also when that is killed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vr.errors import VelociraptorError
from vr.machine.path import path_with_system
from vr.up import leftovers, listener, waiting
from vr.up.config import Config

_START_SECONDS = 120.0
# More than uvicorn gives to what is under way (see web.py).
_END_SECONDS = 10.0


@contextmanager
def serving(config: Config, listening: socket.socket | None) -> Iterator[None]:
    """Serve web's pages at its socket, which is handed to the next web process, too. Without a
    socket nobody serves in between.

    Raises VelociraptorError with what it said if the new code does not come to serve.
    """
    if listening is None:
        yield
        return
    with listener.held(listening, config.web_handover), _process(config) as process:
        is_ready = leftovers.until(
            lambda: process.poll() is not None or is_serving(config.bridge_ready, process.pid),
            _START_SECONDS,
        )
        if not is_ready or process.poll() is not None:
            raise VelociraptorError(
                "The new web process does not start; the former one serves on.",
                details=waiting.tail(_log(config)),
                hint="Mend what its log says and run vr up again.",
            )
        yield


def is_serving(ready: Path, pid: int) -> bool:
    """Whether the web process `pid` has said in its file `ready` that it takes requests."""
    try:
        return ready.read_text() == str(pid)
    except OSError:
        return False


@contextmanager
def _process(config: Config) -> Iterator[subprocess.Popen[bytes]]:
    python = sys.executable
    with _log(config).open("wb") as log:
        process = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "TERM"),
                *(python, "-m", "vr.up.part", str(config.environment_of("web"))),
                *(python, "-m", "vr.up.web", config.bind, str(config.web_port)),
                *(str(config.web_handover), str(config.bridge_ready)),
            ],
            env={**os.environ, "PATH": path_with_system(os.environ)},
            cwd=config.folder_of("web"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            umask=0o077,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        config.bridge_ready.unlink(missing_ok=True)


def _log(config: Config) -> Path:
    return config.logs / "web-bridge.log"
