"""Folders for tests that unpack whole OS images: in memory, where there is enough of it.

Removing the 45,000 files of an image from a disk that discards what is freed takes minutes.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
# A stack and a few hosts, beside other tests that do the same.
_ENOUGH_BYTES = 10 * 1024**3


def big_folder(prefix: str) -> Path:
    """A new, empty folder on a file system that can carry overlays; whoever asks removes it."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _has_room() else "/var/tmp"))


def _has_room() -> bool:
    """Is there a tmpfs that holds as much, and memory to back it?"""
    try:
        disk = os.statvfs(_MEMORY)
        meminfo = Path("/proc/meminfo").read_text()
    except OSError:
        return False
    free = disk.f_bavail * disk.f_frsize
    available = next(
        int(line.split()[1]) * 1024
        for line in meminfo.splitlines()
        if line.startswith("MemAvailable:")
    )
    return min(free, available) >= _ENOUGH_BYTES
