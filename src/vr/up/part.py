"""Starts a part of the stack with the environment that `vr up` wrote for it.

    python -m vr.up.part FILE COMMAND ARGUMENT…

supervisord's own environment is as old as it is, and it is never restarted: what `vr up` is told
later reaches the parts by their files, and values may hold what its configuration can't.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path


def main() -> None:
    path, *command = sys.argv[1:]
    given = json.loads(Path(path).read_text())
    os.execvpe(command[0], command, environment(os.environ, given))


def environment(inherited: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What the part gets: settings only as given, the rest as inherited."""
    return {k: v for k, v in inherited.items() if not k.startswith("VR_")} | dict(given)


if __name__ == "__main__":
    main()
