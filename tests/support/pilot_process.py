"""The pilot as a process of its own, its log in a file."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.processes import children
from support.waiting import until

SRC = Path(__file__).resolve().parents[2] / "src"
HOST = socket.gethostname()


class PilotProcess:
    """`config` is written to a file, anew for each reload; `words` are the application."""

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        *words: str,
        environ: dict[str, str] | None = None,
        pid_namespace: bool = False,
        command: tuple[str, ...] = (sys.executable, "-m", "vr.pilot"),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "containerpilot.json"
        self._log = folder / "log"
        self.configure(config)
        argv = [*command, "-config", f"file://{self._file}", *words]
        if pid_namespace:
            argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *argv]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(SRC), **(environ or {})},
            )
        self._unshared = pid_namespace

    def configure(self, config: dict[str, Any] | str) -> None:
        text = config if isinstance(config, str) else json.dumps(config)
        self._file.write_text(text)

    def reload(self, config: dict[str, Any] | str | None = None) -> None:
        if config is not None:
            self.configure(config)
        self.signal(signal.SIGHUP)

    @property
    def pid(self) -> int:
        """The pilot's own, also inside of `unshare`."""
        if not self._unshared:
            return self.process.pid
        return until(lambda: children(self.process.pid), "unshare has forked")[0]

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def until_logged(self, text: str, seconds: float = 20) -> None:
        until(lambda: text in self.log(), f"the pilot logs {text!r}", seconds=seconds)

    def wait(self, seconds: float = 20) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def terminate(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process.poll() is None:
            try:
                self.signal(signal.SIGTERM)
                self.process.wait(15)
            except (subprocess.TimeoutExpired, ProcessLookupError):
                self.process.kill()
                self.process.wait(10)
