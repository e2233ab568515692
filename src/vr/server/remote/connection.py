"""How workers reach a host: one way to run, to read and write files, to ask its Supervisor."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from vr.paths import Root
from vr.server.remote.supervisor import HostUnreachable, Supervisor


class NotThisMachine(HostUnreachable):
    """The host would need SSH, which is not there yet."""


@dataclass(frozen=True)
class Result:
    """A command that came to its end."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def output(self) -> str:
        """Both streams as text, for people."""
        return (self.stdout + self.stderr).decode(errors="replace").strip()


class HostConnection(Protocol):
    """A host; all paths are the host's. Methods raise HostUnreachable when it doesn't answer."""

    name: str
    root: Root
    supervisor: Supervisor

    def run(
        self, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 60
    ) -> Result:
        """Run a command as root to its end, whatever its status.

        Raises VelociraptorError if it can't be started or isn't done within `timeout` seconds.
        """
        ...

    def tool(self, name: str) -> str:
        """The absolute path of a command of ours, such as `vrun`."""
        ...

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder and its parents; one that is there stays as it is."""
        ...

    def write(self, path: Path, data: str, mode: int) -> None:
        """Write a file, complete or not at all, never weaker than `mode`."""
        ...

    def read(self, path: Path) -> bytes | None:
        """A file's content; None if there is none."""
        ...

    def tail(self, path: Path, length: int) -> bytes:
        """The last `length` bytes of a file; empty if there is none."""
        ...

    def exists(self, path: Path) -> bool: ...

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder; a missing one is fine."""
        ...

    def is_free(self, port: int) -> bool:
        """Could a proc listen on this TCP port, as far as all other programs are concerned?"""
        ...

    def accepts(self, port: int) -> bool:
        """Does a connection to this port of the host succeed?"""
        ...


def is_local(host_name: str) -> bool:
    """Is the host of that name this machine? VR_LOCAL_HOST tells; else its own names do."""
    if settings.LOCAL_HOST:
        return bool(host_name == settings.LOCAL_HOST)
    return host_name in {"localhost", "127.0.0.1", socket.gethostname(), socket.getfqdn()}


def connect(host_name: str) -> HostConnection:
    """A connection to the host of that name.

    Raises NotThisMachine for any host but this machine, as SSH is not there yet.
    """
    from vr.server.remote.local import LocalConnection

    if not is_local(host_name):
        here = settings.LOCAL_HOST or "localhost"
        raise NotThisMachine(
            f"{host_name} is another machine, and only this one ({here}) can be reached so far.",
            hint="Set the host inactive, or use the local one.",
        )
    return LocalConnection(
        host_name, Root(Path(settings.VR_ROOT)), Supervisor(host_name, settings.SUPERVISOR_URL)
    )
