"""How workers reach a host: one way to run, to read and write files, to ask its Supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vr.hosts.supervisor import Supervisor
from vr.paths import Root


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
