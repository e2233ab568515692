"""What an ended container left: LXC's messages without the harmless one, kills by memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vr.container.aftermath import lxc_complaint, lxc_log, oom_hook, oom_kills, oom_report

HARMLESS = 'Failed to open "/sys/fs/cgroup/pids///pids.max"\n'


def test_only_what_matters_is_a_complaint(tmp_path: Path) -> None:
    assert lxc_complaint(tmp_path) == ""
    lxc_log(tmp_path).write_text(HARMLESS)
    assert lxc_complaint(tmp_path) == ""
    lxc_log(tmp_path).write_text(f"{HARMLESS}lxc-execute: x: Failed to mount\n")
    assert lxc_complaint(tmp_path) == "lxc-execute: x: Failed to mount"


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
        assert oom_kills(folder) == 0
        hook = oom_hook("web-1", base, oom_report(folder))
        done = subprocess.run(["/bin/sh", "-c", f"exec {hook}"], capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert oom_kills(folder) == number + 2
