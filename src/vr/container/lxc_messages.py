"""What LXC itself says of a container: kept in its folder, apart from what the app says."""

from __future__ import annotations

import re
from pathlib import Path

# LXC's init says so at each TERM, where it can't see its own cgroup; it does no harm.
_HARMLESS = re.compile(r'Failed to open "/sys/fs/cgroup/pids/.*pids\.max"')


def lxc_log(folder: Path) -> Path:
    """The file that gets LXC's messages; each start writes it anew."""
    return folder / "lxc.log"


def lxc_complaint(folder: Path) -> str:
    """What LXC said, without what is harmless; empty if nothing."""
    try:
        text = lxc_log(folder).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(line for line in text.splitlines() if not _HARMLESS.search(line))
