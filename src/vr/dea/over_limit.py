"""What is said about an instance that was ended for using too much, and where its owner sees it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def memory_exceeded(limit: int, used: int) -> tuple[str, str]:
    """The documented lines; both in MB."""
    return f"Memory limit of {limit}M exceeded.", _actual(used)


def disk_exceeded(limit: int, used: int) -> tuple[str, str]:
    """The documented lines; both in MB."""
    return f"Disk usage limit of {limit}M exceeded.", _actual(used)


def note(droplet: Path, lines: tuple[str, ...]) -> None:
    """Add the lines to the droplet's logs/err.log, unless the app has made it impossible.

    Folder and file may be the app's work by now: links are not followed.
    """
    if not lines:
        return
    with contextlib.suppress(OSError):
        folder = os.open(droplet / "logs", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open("err.log", flags, 0o644, dir_fd=folder)
            with os.fdopen(descriptor, "w") as file:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    file.writelines(f"{line}\n" for line in lines)
        finally:
            os.close(folder)


def _actual(used: int) -> str:
    return f"Actual usage was {used}M, process terminated."
