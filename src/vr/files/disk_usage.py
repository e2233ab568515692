"""How much of the disk a folder takes, of which strangers may have made what they like."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from vr.machine.path import SYSTEM_PATH


def free_disk(folder: Path) -> tuple[int, int]:
    """Bytes that ordinary users may still write where the folder is, and all that they might on an
    empty disk; raises OSError if it is not there."""
    status = os.statvfs(folder)
    reserved = status.f_bfree - status.f_bavail
    return status.f_bavail * status.f_frsize, (status.f_blocks - reserved) * status.f_frsize


def disk_usage(folder: Path) -> int:
    """Bytes on disk of all that is in the folder and of the folder; files with several names count
    once, other file systems don't. 0 if it is not there.

    By du, which gets into folders nested deeper than any path can say, and is faster.
    """
    return _du("-B1", folder)


def file_count(folder: Path) -> int:
    """How many files, folders and links that is, counted in the same way."""
    return _du("--inodes", folder)


def _du(unit: str, folder: Path) -> int:
    done = subprocess.run(
        ["du", "-sx", unit, "--", str(folder)],
        env={"PATH": SYSTEM_PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,  # what went away meanwhile is an error for it
    )
    size = done.stdout.split(b"\t")[0]
    return int(size) if size.isdigit() else 0
