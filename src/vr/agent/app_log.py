"""Lines that are added to an app's log from outside its container."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vr.container.launch import APP_STDERR


def add_line(monitor: int, text: str) -> None:
    """Append `text` to what the app of the LXC monitor with this pid writes its stderr to; never
    waits for its reader. Raises OSError if it has just ended, or nobody reads what it says.
    """
    path = Path(f"/proc/{monitor}/fd/{APP_STDERR}")
    # Into a file that is not only appended to, the app's next words would be written over ours.
    if stat.S_ISREG(path.stat().st_mode) and not _appends(monitor):
        return
    flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _appends(monitor: int) -> bool:
    for line in Path(f"/proc/{monitor}/fdinfo/{APP_STDERR}").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "flags":
            return bool(int(value, 8) & os.O_APPEND)
    return False
