"""Builds that would use up the host: each ends at its limits, and its error says which."""

from __future__ import annotations

import re

import pytest

from support.build_machine import Machine
from vr.builder import CompileFailed

FORKS = """python3 - <<'end'
import os, time
while True:
    try:
        if not os.fork():
            time.sleep(1000)
    except OSError:
        pass
end"""
EATS = "python3 -c 'x = [bytes([n % 256]) * (1 << 20) for n in range(10_000)]'"


def failure(machine: Machine, compile: str) -> str:
    pack = machine.buildpack(compile)
    with pytest.raises(CompileFailed) as error:
        machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert machine.workspaces == []
    return str(error.value)


def test_a_build_that_forks_without_end_is_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", "pids_limit=64")
    said = failure(machine, FORKS)
    assert "starts processes without end: 64 at once" in said


def test_a_build_that_eats_memory_is_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", "mem_limit=64M,memsw_limit=64M")
    said = failure(machine, EATS)
    assert "1 process(es) of it were killed for want of memory; the limit is 64M" in said


def test_a_build_that_bears_the_loss_is_told_of_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", "mem_limit=64M,memsw_limit=64M")
    pack = machine.buildpack(f"{EATS} || true")
    machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert b"killed for want of memory; the limit is 64M" in machine.log


def test_a_build_that_never_ends_is_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_BUILD_SECONDS", "1")
    assert "still running after 1 seconds" in failure(machine, "sleep 1000 & wait")


def test_a_build_that_fills_the_disk_is_ended(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", "disk_limit=32M")
    deep = "for n in $(seq 100); do d=$(printf 'd%.0s' $(seq 100)); mkdir $d; cd $d; done"
    fill = "head -c 64M /dev/zero >fill; sleep 1000"
    said = failure(machine, f"{deep}; {fill}")
    assert re.search(r"It wrote 6\d(\.\d)?M; 32M are its limit", said)
