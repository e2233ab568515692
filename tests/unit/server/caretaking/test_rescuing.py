"""Which swarms are rescued, and when."""

from __future__ import annotations

from typing import Any

import pytest

from vr.server.caretaking.rescuing import (
    Flock,
    HostVoice,
    Placed,
    Tried,
    lost_hosts,
    may_have_left_over,
    rescue,
)

NOW = 10_000.0
SPEAKS, SILENT = HostVoice(), HostVoice(silent_since=NOW - 100)


def flock(*hosts: str, stale: tuple[str, ...] = (), **changes: Any) -> Flock:
    placed = [*(Placed(host, True) for host in hosts), *(Placed(host, False) for host in stale)]
    facts: dict[str, Any] = {"id": 1, "size": 2, "rescue_after": 60.0, "placed": placed}
    return Flock(**facts | changes)


def tried(seconds_ago: float, status: str, lasted: float = 1.0, **more: Any) -> Tried:
    return Tried(NOW - seconds_ago, NOW - seconds_ago + lasted, status, **more)


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


def test_what_a_dispatch_did_not_reach_is_retired_once_its_host_is_heard() -> None:
    unheard = {"a": SPEAKS, "b": HostVoice(is_heard=False)}
    done = (tried(100, "succeeded", size=0),)
    none = flock("b", size=0, tried=done)
    assert "Left over on b:" in rescue(none, {"b": SPEAKS}, NOW)
    assert rescue(none, unheard, NOW) == ""
    stale = flock("a", "a", stale=("b",), tried=(tried(100, "succeeded", size=2),))
    assert "Left over on b:" in rescue(stale, {"a": SPEAKS, "b": SPEAKS}, NOW)
    assert rescue(stale, unheard, NOW) == ""


def test_a_size_that_was_written_down_only_makes_nothing_too_many() -> None:
    done = (tried(100, "succeeded", size=3),)
    assert rescue(flock("a", "a", "a", size=1, tried=done), {"a": SPEAKS}, NOW) == ""
    assert rescue(flock("a", "a", "a", "a", size=1, tried=done), {"a": SPEAKS}, NOW) != ""
    assert rescue(flock("a", "a", "a", size=1), {"a": SPEAKS}, NOW) == ""


@pytest.mark.parametrize(
    ("own", "ended_ago", "again"), [(0, 14, False), (0, 16, True), (1, 16, True), (2, 16, False)]
)
def test_what_is_left_over_is_tried_again_at_growing_intervals(
    own: int, ended_ago: float, again: bool
) -> None:
    """However many dispatches users asked for before."""
    asked = [tried(ended_ago + 1 + own + n, "succeeded") for n in range(4)]
    tries = [tried(ended_ago + 1 + n, "succeeded", is_own=True) for n in range(own)]
    one = flock("a", size=0, tried=(*tries, *asked))
    assert bool(rescue(one, {"a": SPEAKS}, NOW)) is again


def test_only_swarms_that_may_have_too_many_are_looked_into() -> None:
    assert not may_have_left_over(flock("a", "b").placed, 2)
    assert may_have_left_over(flock("a", "b").placed, 1)
    assert may_have_left_over(flock("a", stale=("b",)).placed, 2)
