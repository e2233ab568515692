"""The seccomp profile."""

from __future__ import annotations

from vr.container.seccomp import profile


def test_the_profile_refuses_what_reaches_the_kernel() -> None:
    lines = profile().splitlines()
    assert lines[:2] == ["2", "denylist"]
    for call in ("mount", "kexec_load", "bpf", "keyctl", "setns", "init_module"):
        assert f"{call} errno 1" in lines
    assert any(line.startswith("unshare errno 1 [0,268435456,") for line in lines)
