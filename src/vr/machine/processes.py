"""What the kernel tells of a process. Pids are those of the caller's pid namespace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """`started` is in ticks since the machine's boot: with the pid it names one process for sure.

    `cpu_seconds` are those of the process itself, without its children's.
    """

    state: str
    parent: int
    cpu_seconds: float
    resident_bytes: int
    started: int
    has_terminal: bool

    @property
    def has_ended(self) -> bool:
        """A zombie: its parent has not collected it yet, but nothing of it runs."""
        return self.state in {"Z", "X"}


def process(pid: int) -> Process | None:
    """The process as it is now; None if there is none of that pid."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name may hold anything, blanks and parentheses included: the last one ends it.
    fields = text.rpartition(")")[2].split()
    return Process(
        state=fields[0],
        parent=int(fields[1]),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICK,
        resident_bytes=int(fields[21]) * _PAGE,
        started=int(fields[19]),
        has_terminal=fields[4] != "0",
    )


def send_signal(pid: int, number: int) -> bool:
    """Whether there was a process to send it to, a zombie included. Raises PermissionError."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    found = process(pid)
    return found is not None and not found.has_ended


def parent_of(pid: int) -> int | None:
    """The pid of the process's parent; 0 if that is outside of our pid namespace."""
    found = process(pid)
    return found.parent if found else None
