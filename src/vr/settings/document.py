"""docs/settings.md, from the table: `python -m vr.settings.document [--check] FILE`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from vr.errors import VelociraptorError, run_main
from vr.files.atomic import write_atomic
from vr.settings.machine import MachineSettings
from vr.settings.server import ServerSettings
from vr.settings.setting import Process, Setting
from vr.settings.swarms import SwarmSettings
from vr.settings.table import rows
from vr.settings.telling import TellingSettings
from vr.settings.tools import ToolSettings

_HEAD = """\
# Settings

<!-- Made from src/vr/settings by bin/document-settings; changes here are lost. -->

All settings are environment variables. `vr up` needs none. An empty variable counts as not given.

They are checked when a process starts: it names every variable that is wrong and what was
expected, and ends with exit code 2. A variable that nothing reads, but whose name is nearly that of
one below, is named as well.
"""

_MACHINE = """\
## One machine: `vr up`

"""

_SERVER = """\
## The server's processes

`vr up` sets those that only the server reads, and hands on the others; a fleet sets them itself.

"""

_SWARMS = """\
## Swarms and their procs

"""

_TELLING = """\
## What others are told

"""

_TOOLS = """\
## The `vr` command and the tools

"""

_TAIL = """\
## A new key

`VR_SECRET_KEY` may be replaced, say after somebody has seen it, without losing what it encrypted:

1. Make the former key one of `VR_SECRET_KEY_FALLBACKS`, and give `VR_SECRET_KEY` the new one. With
   `vr up`, these are the files `former-secret-keys` (one a line) and `secret-key` in
   `VR_HOME/secrets`.
2. Restart all processes of the server, on one machine by `vr up`. Sessions and links
   that the former key signed stay valid.
3. Run `python -m vr.server.manage reencrypt` with the server's settings. It encrypts all config,
   environments and volumes with the new key, names what no known key can read, and may be repeated.
   With `vr up`, as root, in the checkout:

        export VR_HOME=/var/lib/velociraptor
        export VR_SECRET_KEY_FILE=$VR_HOME/secrets/secret-key
        export VR_SECRET_KEY_FALLBACKS_FILE=$VR_HOME/secrets/former-secret-keys
        .venv/bin/python -m vr.server.manage reencrypt

4. Take the former key out of `VR_SECRET_KEY_FALLBACKS`, and restart once more. Now it opens
   nothing.

A fleet whose processes restart one after another makes the *new* key a fallback everywhere first,
so that none meets what it can't read.
"""


def document() -> str:
    """The whole page."""
    parts = (
        (_MACHINE, MachineSettings),
        (_SERVER, ServerSettings),
        (_SWARMS, SwarmSettings),
        (_TELLING, TellingSettings),
        (_TOOLS, ToolSettings),
    )
    tables = (text + "\n".join(_table(rows(part).values())) + "\n" for text, part in parts)
    return "\n".join((_HEAD, *tables, _TAIL))


def _table(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| variable | default | meaning | read by |"
    yield "|---|---|---|---|"
    for one in settings:
        names = " or ".join(f"`{name}`" for name in one.variables)
        readers = ", ".join(_shown(process) for process in Process if process in one.read_by)
        yield f"| {names} | {_default(one)} | {one.meaning} | {readers} |"


def _default(one: Setting) -> str:
    text = re.sub(r"\{(VR_\w+)\}", r"\1", one.default)
    return one.shown or (f"`{text}`" if text else "")


def _shown(process: Process) -> str:
    return f"`{process}`" if process is Process.UP else str(process)


def _run() -> int:
    parser = argparse.ArgumentParser(description="Write docs/settings.md from the table.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    if not asked.check:
        write_atomic(asked.file, document())
    elif not asked.file.is_file() or asked.file.read_text() != document():
        raise VelociraptorError(
            f"{asked.file} is not what the table of settings makes of it.",
            hint="Run bin/document-settings.",
        )
    return 0


def main() -> int:
    """The command; returns the exit code."""
    return run_main(_run)


if __name__ == "__main__":
    sys.exit(main())
