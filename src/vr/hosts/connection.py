"""How a host is reached: one way to run, to read and write files, to ask its Supervisor.

Making a connection talks to nobody, so that any process may hold one; its first use does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vr.hosts.supervisor import Supervisor
from vr.paths import Root

# Longer than anybody holds a lock who is well: a balancer's reload may take half a minute.
LOCK_SECONDS = 120.0


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


class LogReader(Protocol):
    """A log that is being followed. Threads may share it; it is closed when done with."""

    def read(self) -> bytes:
        """What was added since the last call, a bounded piece at a time; empty if nothing was.

        Never waits for more. Nothing is lost or doubled when the log is rotated; should it be
        rotated faster than it is read, a line says so where something may be missing.
        """
        ...

    def close(self) -> None: ...


class Command(Protocol):
    """A command that was begun. Any thread may ask for it, one at a time."""

    def poll(self) -> Result | None:
        """How it ended, whatever its status; None while it runs. Never waits for it.

        Raises VelociraptorError if it wasn't done in time, which kills it.
        """
        ...

    def close(self) -> None:
        """Say that nobody asks for it any more; one that still runs is left alone."""
        ...


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

    def begin(self, argv: Sequence[str], *, timeout: float = 60) -> Command:
        """As `run`, without waiting: for what may last long, and be many at once."""
        ...

    def tool(self, name: str) -> str:
        """The absolute path of a command of ours, such as `vrun`."""
        ...

    def make_folder(self, path: Path, mode: int) -> None:
        """Make a folder and its parents; one that is there stays as it is."""
        ...

    def write(self, path: Path, data: str, mode: int) -> None:
        """Write a file, complete or not at all, never weaker than `mode`.

        Until it is complete it lies beside under a name that begins with a dot, which patterns
        such as `folder/*` don't match.
        """
        ...

    def read(self, path: Path) -> bytes | None:
        """A file's content; None if there is none."""
        ...

    def tail(self, path: Path, length: int) -> bytes:
        """The last `length` bytes of a log, with those that were rotated away to `<path>.1` and so
        on, and none of its characters cut; empty if there is none."""
        ...

    def follow(self, path: Path, length: int) -> LogReader:
        """Read a log that Supervisor writes as it grows, from its last `length` bytes on.

        It begins with the line in which they begin, or within it if that is far back. Bytes that
        were rotated away to `<path>.1` and so on count.
        """
        ...

    def exists(self, path: Path) -> bool: ...

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder; a missing one is fine."""
        ...

    def lock(self, path: Path, *, wait: float = LOCK_SECONDS) -> AbstractContextManager[object]:
        """Hold the lock that this file stands for; it is made if it isn't there.

        The lock goes with its holder, however that one ends. Raises Busy if another holds it
        for more than `wait` seconds.
        """
        ...

    def is_free(self, port: int) -> bool:
        """Could a proc listen on this TCP port, as far as all other programs are concerned?"""
        ...

    def accepts(self, port: int) -> bool:
        """Does a connection to this port of the host succeed?"""
        ...

    def ask(self, port: int, path: str) -> tuple[int, str]:
        """The HTTP status of a GET of `path` on this port of the host, with the beginning of an
        error's page or where a redirect leads; 0 and what went wrong if there is no answer
        within seconds."""
        ...
