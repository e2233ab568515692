"""What the processes of an instance use, asked of the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vr.dea.instance import Usage

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def usage(pids: Iterable[int], folder: Path) -> Usage:
    """CPU and resident memory of the processes, and the disk that `folder` takes."""
    seconds, memory = 0.0, 0
    for pid in pids:
        try:
            # The name may hold anything, blanks and parentheses included.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        seconds += (int(fields[11]) + int(fields[12])) / _TICK
        memory += int(fields[21]) * _PAGE
    return Usage(seconds, memory, disk_usage(folder))


def disk_usage(folder: Path) -> int:
    """Bytes on disk of all that is in the folder; files with several names count once."""
    total, seen = 0, set()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                status = os.lstat(os.path.join(parent, name))  # noqa: PTH118  (half the time)
            except OSError:
                continue  # it went away
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += status.st_blocks * 512
    return total


def parents(pids: Iterable[int]) -> dict[int, int]:
    """The parent of each process that is still there."""
    found = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[pid] = int(fields[1])
    return found
