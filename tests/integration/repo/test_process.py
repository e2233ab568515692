"""Programs that are run for a repository: real processes, which end with who has started them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.waiting import until

_CALLER = """
import os
from vr.repo.process import run
run(["sh", "-c", "sleep 98765.4321 & sleep 98765.4321"], env=dict(os.environ), timeout=600)
"""


def _sleepers() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if line.startswith(b"sleep\x0098765.4321"):
            found.append(folder.name)
    return found


def test_all_that_a_program_has_started_ends_with_a_worker_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _CALLER]) as worker:
        try:
            until(lambda: len(_sleepers()) == 2, "two sleepers")
        finally:
            worker.kill()
    until(lambda: not _sleepers(), "the end of all")
