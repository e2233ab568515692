"""Which swarms are rescued, and when."""

from __future__ import annotations

from typing import Any

import pytest

from vr.server.caretaking.rescuing import Flock, HostVoice, Placed, Tried, lost_hosts, rescue

NOW = 10_000.0
SPEAKS, SILENT = HostVoice(), HostVoice(silent_since=NOW - 100)


def flock(*hosts: str, stale: tuple[str, ...] = (), **changes: Any) -> Flock:
    placed = [*(Placed(host, True) for host in hosts), *(Placed(host, False) for host in stale)]
    facts: dict[str, Any] = {"id": 1, "size": 2, "rescue_after": 60.0, "placed": placed}
    return Flock(**facts | changes)


def tried(seconds_ago: float, status: str, lasted: float = 1.0) -> Tried:
    return Tried(NOW - seconds_ago, NOW - seconds_ago + lasted, status)


def test_a_swarm_that_lost_procs_is_rescued_when_its_squads_patience_is_over() -> None:
    hosts = {"a": SPEAKS, "b": SILENT}
    assert "Silent: b." in rescue(flock("a", "b"), hosts, NOW)
    assert rescue(flock("a", "b", rescue_after=101.0), hosts, NOW) == ""
    assert rescue(flock("a", "b", rescue_after=None), hosts, NOW) == ""
    assert rescue(flock("a", "a"), hosts, NOW) == ""


def test_one_with_enough_procs_elsewhere_is_left_alone() -> None:
    assert rescue(flock("a", "c", "b"), {"a": SPEAKS, "c": SPEAKS, "b": SILENT}, NOW) == ""


def test_each_silence_leads_to_one_rescue_that_succeeds() -> None:
    hosts = {"a": SPEAKS, "b": SILENT}
    done = tried(30, "succeeded")
    assert rescue(flock("a", "b", tried=(done,)), hosts, NOW) == ""
    before_the_silence = tried(200, "succeeded")
    assert rescue(flock("a", "b", tried=(before_the_silence,)), hosts, NOW) != ""


@pytest.mark.parametrize(
    ("failures", "ended_ago", "again"), [(1, 59, False), (1, 61, True), (2, 61, False)]
)
def test_one_that_fails_is_tried_again_at_growing_intervals(
    failures: int, ended_ago: float, again: bool
) -> None:
    history = tuple(tried(ended_ago + 1 + n, "failed") for n in range(failures))
    assert bool(rescue(flock("a", "b", tried=history), {"a": SPEAKS, "b": SILENT}, NOW)) is again


def test_what_is_too_many_goes_once_its_host_is_back_and_only_then() -> None:
    back = HostVoice(back_since=NOW - 5)
    rescued = (tried(50, "succeeded"),)
    assert rescue(flock("a", "a", "b", tried=rescued), {"a": SPEAKS, "b": SILENT}, NOW) == ""
    assert "Back: b." in rescue(flock("a", "a", "b", tried=rescued), {"a": SPEAKS, "b": back}, NOW)
    since = (tried(4, "succeeded"), *rescued)
    assert rescue(flock("a", "a", "b", tried=since), {"a": SPEAKS, "b": back}, NOW) == ""
    # It spoke, but was not reached yet: what is there is there still.
    assert rescue(flock("a", "a", "b", tried=since), {"a": SPEAKS, "b": back}, NOW + 15) != ""
    assert rescue(flock("a", "a", tried=since), {"a": SPEAKS, "b": back}, NOW + 15) == ""


def test_procs_of_a_version_that_was_replaced_meanwhile_go_too() -> None:
    hosts = {"a": SPEAKS, "b": HostVoice(back_since=NOW - 5)}
    rescued = (tried(50, "succeeded"),)
    assert rescue(flock("a", "a", stale=("b",), tried=rescued), hosts, NOW) != ""
    assert rescue(flock("a", "b", tried=rescued), hosts, NOW) == ""


def test_by_hand_no_patience_is_asked_for() -> None:
    hosts = {"a": SPEAKS, "b": HostVoice(silent_since=NOW - 1), "c": SILENT}
    assert lost_hosts(flock("a", "b", rescue_after=None), hosts, NOW, 0.0) == ["b"]
    assert lost_hosts(flock("a", "a", "c"), hosts, NOW, 0.0) == []


def test_procs_of_a_drained_host_move_until_none_is_there() -> None:
    hosts = {"a": SPEAKS, "b": HostVoice(draining=True)}
    assert "Drained: b." in rescue(flock("a", "b", rescue_after=None), hosts, NOW)
    assert "Drained: b." in rescue(flock("a", "a", stale=("b",)), hosts, NOW)
    assert rescue(flock("a", "a"), hosts, NOW) == ""


def test_a_drained_host_that_is_silent_waits() -> None:
    hosts = {"a": SPEAKS, "b": HostVoice(silent_since=NOW - 5, draining=True)}
    assert rescue(flock("a", "b"), hosts, NOW) == ""


@pytest.mark.parametrize(
    ("failures", "ended_ago", "again"),
    [(1, 14, False), (1, 16, True), (2, 16, False), (10, 590, False), (10, 601, True)],
)
def test_draining_is_tried_again_at_growing_intervals(
    failures: int, ended_ago: float, again: bool
) -> None:
    history = tuple(tried(ended_ago + 1, "failed") for _ in range(failures))
    hosts = {"a": SPEAKS, "b": HostVoice(draining=True)}
    assert bool(rescue(flock("a", "b", tried=history), hosts, NOW)) is again
