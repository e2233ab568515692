"""How many processes of an ended container were killed for want of memory.

The count lies in the folder of the container's generated files; each start makes it anew.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_OOM_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def oom_report(folder: Path) -> Path:
    """The file that gets the memory group's last account."""
    return folder / "oom"


def count_oom_kills(folder: Path) -> int:
    """How many processes were killed for want of memory."""
    try:
        found = _OOM_KILLS.search(oom_report(folder).read_text())
    except FileNotFoundError:
        return 0
    return int(found.group(1)) if found else 0


def oom_hook(name: str, memory_group: Path, report: Path) -> str:
    """The shell command that LXC runs while an ending container's groups are still there.

    `memory_group` is the folder in which LXC makes them: v1's hold memory.oom_control, v2's
    memory.events, and both of these have a line `oom_kill N`.
    """
    group = f"{shlex.quote(str(memory_group))}/lxc.payload.{name}"
    accounts = " ".join(
        f"{group}{suffix}/{account}"
        for suffix in ("", "-[0-9]*")
        for account in ("memory.oom_control", "memory.events")
    )
    script = f"cat {accounts} >{shlex.quote(str(report))} 2>/dev/null; :"
    return shlex.join(["/bin/sh", "-c", script])  # LXC puts `exec ` in front
