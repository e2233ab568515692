"""Talking to the stack's own supervisord over its socket."""

from __future__ import annotations

import socket
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNING = 20
STOPPED_STATES = {0, 100, 200}  # STOPPED, EXITED, FATAL
FAILING_STATES = {30, 100, 200}  # BACKOFF, EXITED, FATAL


@dataclass(frozen=True)
class Part:
    """A program as supervisord sees it."""

    name: str
    state: int
    statename: str
    description: str
    logfile: str

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

    @property
    def is_failing(self) -> bool:
        """It ended by itself; supervisord may try again."""
        return self.state in FAILING_STATES


class Supervisord:
    """The supervisord behind `path`; methods raise OSError or xmlrpc.client.Error."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _call(self, method: str, *args: Any) -> Any:
        # A connection each: supervisord may restart between two calls.
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.path}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        return getattr(proxy.supervisor, method)(*args)

    def answers(self) -> bool:
        """Whether a supervisord listens there now."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.path))
            except OSError:
                return False
        return True

    def pid(self) -> int:
        return int(self._call("getPID"))

    def parts(self) -> list[Part]:
        return [
            Part(
                name=info["name"],
                state=info["state"],
                statename=info["statename"],
                description=info["description"],
                logfile=info["stdout_logfile"] or info["stderr_logfile"],
            )
            for info in self._call("getAllProcessInfo")
        ]

    def start(self, name: str) -> None:
        self._call("startProcess", name, False)

    def stop_all(self) -> None:
        """Ask all programs to stop, without waiting: supervisord would stop them one by one."""
        self._call("stopAllProcesses", False)

    def shutdown(self) -> None:
        self._call("shutdown")
