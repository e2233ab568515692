"""The launcher: a shell script that setup leaves behind, so that a start needs no Python.

It holds the locks, starts the container, turns signals into what the app understands, and leaves
nothing behind (docs/reference/vrun.md#run). The proc's values come from here, the rest from
launcher.sh.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from vr.container.launch import GUARD
from vr.container.lxc_messages import lxc_log
from vr.machine.path import SYSTEM_PATH

_TICKS_PER_SECOND = 50

_SCRIPT = Path(__file__).with_name("launcher.sh")


def launcher(
    *,
    name: str,
    proc_yaml: Path,
    folder: Path,
    command: Sequence[str],
    stop_timeout: float,
    memory: str | None = None,
    main_only: bool = False,
) -> str:
    """The script. Its one optional argument: seconds to wait for the locks.

    It locks `proc_yaml` and the proc's `folder`, runs `command` (the container) as its child, and
    ends with its exit code; 137 if the app outlived `stop_timeout` seconds after a TERM. `memory`
    is the limit as its user wrote it, for the message about its excess. With `main_only` a TERM
    is for the app's main process alone, which stops the others in its own order.
    """
    assignments = {
        "PATH": SYSTEM_PATH,
        "name": name,
        "yaml": str(proc_yaml),
        "folder": str(folder),
        "memory": memory or "no more than the host has",
        "main_only": "1" if main_only else "",
        "ticks": str(round(stop_timeout * _TICKS_PER_SECOND)),
        "ticks_per_second": str(_TICKS_PER_SECOND),
    }
    head = "".join(f"{key}={shlex.quote(value)}\n" for key, value in assignments.items())
    guard = f'{shlex.join(GUARD)} "$$" {shlex.quote(str(lxc_log(folder)))}'
    return (
        "#!/bin/sh\n"
        "# Written by `vrun setup`, which also replaces it.\n"
        f"{head}"
        "patience=${1-}\n"
        f"set -- {guard} {shlex.join(command)}\n"
        f"{_SCRIPT.read_text()}"
    )
