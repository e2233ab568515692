"""Programs that are run for a repository: real processes, which end with who has started them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.waiting import until
from vr.errors import Unwanted
from vr.repo.process import TooSlow, run

_CALLER = """
import os
from vr.repo.process import run
run(["sh", "-c", "sleep 98765.4321 & sleep 98765.4321"], env=dict(os.environ), timeout=600)
"""

_LEAVING = """
import os, sys
from vr.repo.process import run
os.setuid(int(sys.argv[1]))
script = "sleep 98765.4321 >/dev/null 2>&1 & echo done"
assert run(["sh", "-c", script], env=dict(os.environ), timeout=60).stdout == "done\\n"
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


@pytest.mark.parametrize("uid", [0, 65534])
def test_what_a_program_leaves_behind_ends_with_it_without_root_too(uid: int) -> None:
    subprocess.run([sys.executable, "-c", _LEAVING, str(uid)], check=True, cwd="/")
    until(lambda: not _sleepers(), "the end of all")


def test_all_of_it_ends_as_soon_as_it_is_not_wanted() -> None:
    def check() -> None:
        if len(_sleepers()) == 2:
            raise Unwanted("Cancelled.")

    script = "sleep 98765.4321 & sleep 98765.4321"
    with pytest.raises(Unwanted):
        run(["sh", "-c", script], env=dict(os.environ), timeout=60, check=check)
    until(lambda: not _sleepers(), "the end of all")


def test_what_takes_too_long_is_told_and_ended_and_its_output_is_whole_else() -> None:
    env = dict(os.environ)
    with pytest.raises(TooSlow, match=r"sh did not finish within 0\.5 seconds"):
        run(["sh", "-c", "sleep 98765.4321"], env=env, timeout=0.5)
    until(lambda: not _sleepers(), "the end of all")
    done = run(["sh", "-c", "yes x | head -c 300000; sleep 0.7; echo end"], env=env, timeout=60)
    assert (len(done.stdout), done.stdout[-4:]) == (300_004, "end\n")
