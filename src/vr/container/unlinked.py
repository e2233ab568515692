"""Files that a container's processes hold open and that no folder names any more: they take disk,
which no look at folders finds."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path


def unlinked_bytes(pids: Iterable[int]) -> int:
    """Bytes on disk of such files in the root file systems of the processes, each counted once."""
    found: dict[tuple[int, int], int] = {}
    for pid in pids:
        try:
            root = Path(f"/proc/{pid}/root").stat().st_dev
            files = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue  # it has ended
        for path in files:
            try:
                file = path.stat()
            except OSError:
                continue  # it was closed
            if not file.st_nlink and file.st_dev == root and stat.S_ISREG(file.st_mode):
                found[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(found.values())
