"""Kills for want of memory, counted while an ended container's groups are still there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vr.container.oom_count import count_oom_kills, oom_hook, oom_report


def test_the_hook_counts_kills_of_either_kind_of_group(tmp_path: Path) -> None:
    accounts = {
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        "memory.events": "low 0\noom 5\noom_kill 3\noom_group_kill 0\n",
    }
    for number, (account, text) in enumerate(accounts.items()):
        base = tmp_path / f"it's base {number}"
        folder = tmp_path / str(number)
        # Another container, whose name begins alike, is none of ours.
        for name in ("lxc.payload.web-1", "lxc.payload.web-1x"):
            (base / name).mkdir(parents=True)
            (base / name / account).write_text(text if name[-1] == "1" else "oom_kill 9\n")
        folder.mkdir()
        assert count_oom_kills(folder) == 0
        hook = oom_hook("web-1", base, oom_report(folder))
        done = subprocess.run(["/bin/sh", "-c", f"exec {hook}"], capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert count_oom_kills(folder) == number + 2
