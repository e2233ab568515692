"""The launcher's text; what it does is shown with real containers."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vr.runner.launcher import launcher


def test_it_is_valid_shell_with_quoted_values() -> None:
    text = launcher(
        name="a-b",
        proc_yaml=Path("/it's/$HOME/proc.yaml"),
        folder=Path("/apps/procs/a b"),
        command=["lxc-execute", "-f", "/x y/`id`"],
        stop_timeout=1.5,
    )
    checked = subprocess.run(["/bin/sh", "-n"], input=text, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert """yaml='/it'"'"'s/$HOME/proc.yaml'""" in text
    assert "'/x y/`id`'" in text
    assert "ticks=75\n" in text
