"""Processes of a part that outlived who started them.

Each part works in a folder of its own, and what it forks does, too: that tells whose a process
is when nothing else does. nginx's workers have neither a command line nor an environment of
their own, and live on, with the port, when their master is killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from vr.machine.processes import process, send_signal

_POLL_SECONDS = 0.02
_KILLED_SECONDS = 5.0


def working_in(folders: Iterable[Path]) -> list[int]:
    """The pids of the processes that work in one of the folders, without the caller's.

    Those with a terminal are left out: somebody looks around there.
    """
    wanted = set(folders)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            folder = (entry / "cwd").readlink()
        except OSError:
            continue  # it has ended, or is a kernel's thread
        if folder in wanted and (seen := process(int(entry.name))) and not seen.has_terminal:
            found.append(int(entry.name))
    return found


def end(folders: Iterable[Path], seconds: float) -> int:
    """End what works in the folders: by TERM, after `seconds` by KILL. Gives how many there were.

    Whoever calls knows that nobody starts new ones meanwhile.
    """
    folders = list(folders)
    found = working_in(folders)
    for pid in found:
        send_signal(pid, signal.SIGTERM)
    if not until(lambda: not working_in(folders), seconds):
        for pid in working_in(folders):
            send_signal(pid, signal.SIGKILL)
        until(lambda: not working_in(folders), _KILLED_SECONDS)
    return len(found)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for the condition; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
