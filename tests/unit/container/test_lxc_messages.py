"""LXC's own messages, without the harmless one."""

from __future__ import annotations

from pathlib import Path

from vr.container.lxc_messages import lxc_complaint, lxc_log

HARMLESS = 'Failed to open "/sys/fs/cgroup/pids///pids.max"\n'


def test_only_what_matters_is_a_complaint(tmp_path: Path) -> None:
    assert lxc_complaint(tmp_path) == ""
    lxc_log(tmp_path).write_text(HARMLESS)
    assert lxc_complaint(tmp_path) == ""
    lxc_log(tmp_path).write_text(f"{HARMLESS}lxc-execute: x: Failed to mount\n")
    assert lxc_complaint(tmp_path) == "lxc-execute: x: Failed to mount"
