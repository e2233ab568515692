"""What the processes of an instance use, asked of the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vr.dea.instance import Usage
from vr.files.disk_usage import disk_usage
from vr.machine.processes import process


def usage(pids: Iterable[int], folder: Path) -> Usage:
    """CPU and resident memory of the processes, and the disk that `folder` takes."""
    seconds, memory = 0.0, 0
    for pid in pids:
        if found := process(pid):
            seconds += found.cpu_seconds
            memory += found.resident_bytes
    return Usage(seconds, memory, disk_usage(folder))


def disk_percent(folder: Path) -> float:
    """How full the disk is that holds the folder."""
    status = os.statvfs(folder)
    return 100 * (1 - status.f_bavail / status.f_blocks) if status.f_blocks else 0.0
