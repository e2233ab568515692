"""Limits of containers: of procs, and of builds by the environment."""

from __future__ import annotations

import pytest

from vr.container.spec import DEFAULT_PIDS, Limits
from vr.errors import InvalidInput
from vr.runner.limits import build_limits, build_seconds, container_limits, fetch_seconds


def test_what_a_proc_does_not_limit_has_the_containers_default() -> None:
    assert container_limits({}) == Limits()
    assert container_limits({"mem_limit": "1G", "tmp_size": "0", "pids_limit": None}) == Limits(
        memory=1 << 30, tmp_size=0
    )


def test_builds_are_limited_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VR_BUILD_LIMITS", raising=False)
    monkeypatch.delenv("VR_BUILD_SECONDS", raising=False)
    monkeypatch.delenv("VR_FETCH_SECONDS", raising=False)
    assert build_limits() == Limits(
        memory=4 << 30, memsw=4 << 30, cpus=4.0, pids=2048, tmp_size=None, watched_disk=20 << 30
    )
    assert (build_seconds(), fetch_seconds()) == (3600, 600)


def test_the_environment_sets_the_limits_of_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", "mem_limit=1G,tmp_size=2G,nofile=100,disk_limit=1G")
    monkeypatch.setenv("VR_BUILD_SECONDS", "1.5")
    monkeypatch.setenv("VR_FETCH_SECONDS", "2.5")
    assert build_limits() == Limits(
        memory=1 << 30, pids=DEFAULT_PIDS, tmp_size=2 << 30, nofile=100, watched_disk=1 << 30
    )
    assert (build_seconds(), fetch_seconds()) == (1.5, 2.5)
    monkeypatch.setenv("VR_BUILD_LIMITS", "none")
    assert build_limits() == Limits(tmp_size=None)


@pytest.mark.parametrize("text", ["mem_limit", "mem_limit=1K", "memory=1G"])
def test_what_is_no_limit_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("VR_BUILD_LIMITS", text)
    with pytest.raises(InvalidInput, match="VR_BUILD_LIMITS"):
        build_limits()


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_what_is_no_time_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    for name, seconds in (("VR_BUILD_SECONDS", build_seconds), ("VR_FETCH_SECONDS", fetch_seconds)):
        monkeypatch.setenv(name, text)
        with pytest.raises(InvalidInput, match=name):
            seconds()
