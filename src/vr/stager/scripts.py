"""The startup and stop scripts of a droplet (docs/reference/droplet.md#startup)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RUNTIME = "%VCAP_LOCAL_RUNTIME%"
"""Stands for the runtime's executable; the DEA, which has the runtimes, replaces it."""


@dataclass(frozen=True)
class Startup:
    """How a staged app is started.

    `command` runs in `folder` of the droplet. `exports` are put in double quotes, so that `$PWD`
    and the like are expanded at start; None unsets the name. `before` are shell lines run in the
    droplet's root first.
    """

    command: str
    exports: Mapping[str, str | None] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    has_children: bool = False
    """Whether processes of the command's own are left when it is killed, and have to be, too."""
    folder: str = "app"
    info: Mapping[str, Any] = field(default_factory=dict)
    """More for the droplet's staging information."""


def startup_script(startup: Startup) -> str:
    """The droplet's `startup`: run from the droplet's root, `$@` gets `-p PORT`."""
    up = "/".join([".."] * len(startup.folder.split("/")))
    lines = [
        "#!/bin/bash",
        *_exports(startup),
        *startup.before,
        f"cd {startup.folder}",
        f"{_one_command(startup.command)} > {up}/logs/stdout.log 2> {up}/logs/stderr.log &",
        "STARTED=$!",
        f'echo "$STARTED" >> {up}/run.pid',
        "wait $STARTED",
    ]
    return "\n".join(line for line in lines if line.strip()) + "\n"


def stop_script(startup: Startup) -> str:
    """The droplet's `stop`: its argument is the pid from `run.pid`; ends it and its parent."""
    lines = [
        "#!/bin/bash",
        *_exports(startup),
        "PARENT=$(ps -o ppid= -p $1)",
        "CHILDREN=$(ps -o pid= --ppid $1)" if startup.has_children else "",
        "kill -9 $1",
        "kill -9 $CHILDREN" if startup.has_children else "",
        "kill -9 $PARENT",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _exports(startup: Startup) -> list[str]:
    exports = {**startup.exports, "TMPDIR": "$PWD/tmp"}
    return [
        f"unset {name}" if value is None else f'export {name}="{value}"'
        for name, value in sorted(exports.items())
    ]


def _one_command(command: str) -> str:
    """Redirections count for the last command only, so several are put in parentheses."""
    return f"( {command} )" if re.search(r"[;&|\n]", command) else command
