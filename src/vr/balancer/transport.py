"""How a balancer reaches the machine that it configures."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vr.errors import VelociraptorError


@dataclass(frozen=True)
class Outcome:
    """A command's exit status and all that it printed."""

    status: int
    output: str


class Transport(Protocol):
    """What a balancer needs from a machine; paths are that machine's."""

    def run(self, argv: Sequence[str], *, timeout: float = 30) -> Outcome:
        """Run a command to its end; raises VelociraptorError if it can't or takes too long."""
        ...

    def read(self, path: str) -> str | None:
        """A file's text; None if there is no such file."""
        ...

    def write(self, path: str, text: str) -> None:
        """Write a world-readable file, complete or not at all."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; a missing one is fine."""
        ...

    @contextmanager
    def lock(self, path: str) -> Iterator[None]:
        """Hold the lock that this file stands for, waiting for whoever has it."""
        ...


class LocalTransport:
    """This machine."""

    def run(self, argv: Sequence[str], *, timeout: float = 30) -> Outcome:
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VelociraptorError(f"{argv[0]} could not be run: {error}") from None
        return Outcome(done.returncode, done.stdout.decode(errors="replace"))

    def read(self, path: str) -> str | None:
        try:
            return Path(path).read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None

    def write(self, path: str, text: str) -> None:
        target = Path(path)
        # The leading dot keeps `include folder/*` from reading a file half written.
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).rename(target)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise

    def remove(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)

    @contextmanager
    def lock(self, path: str) -> Iterator[None]:
        import fcntl

        with Path(path).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
