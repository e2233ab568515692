"""When a proc restarts again and again, and when it has calmed down."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from vr.events.procs import RESTARTING, proc_object
from vr.events.restarts import (
    CALM_SECONDS,
    LOOP_RESTARTS,
    Restarts,
    after_start,
    packed,
    unpacked,
)

pauses = strategies.lists(strategies.floats(0.5, 1000), max_size=50)


def lived(pauses: list[float], now: float = 1_700_000_000.0) -> tuple[Restarts, float]:
    counted = Restarts()
    for pause in pauses:
        now += pause
        counted = counted.again(now)
    return counted, now


@given(pauses)
def test_every_restart_is_counted(pauses: list[float]) -> None:
    assert lived(pauses)[0].count == len(pauses)


@given(pauses, strategies.floats(0, 1000))
def test_who_has_been_up_for_two_minutes_is_in_no_loop(pauses: list[float], up: float) -> None:
    counted, last = lived(pauses)
    if counted.is_loop(last + up):
        assert up <= CALM_SECONDS


@given(strategies.lists(strategies.floats(0.5, CALM_SECONDS - 1), min_size=LOOP_RESTARTS + 1))
def test_short_pauses_are_a_loop_for_as_long_as_they_last(pauses: list[float]) -> None:
    counted, last = lived(pauses)
    assert counted.is_loop(last)
    assert counted.is_loop(last + CALM_SECONDS - 1)


@given(strategies.lists(strategies.floats(CALM_SECONDS + 1, 10_000)))
def test_a_restart_now_and_then_is_none(pauses: list[float]) -> None:
    counted, last = lived(pauses)
    assert not counted.is_loop(last)


@pytest.mark.parametrize(
    ("from_state", "count"), [("EXITED", 5), ("BACKOFF", 5), ("FATAL", 5), ("STOPPED", 0)]
)
def test_a_start_by_somebody_counts_anew(from_state: str, count: int) -> None:
    before, last = lived([1.0] * 4)
    assert after_start(before, from_state, last + 1).count == count


def test_what_is_packed_comes_out_again() -> None:
    counted, _ = lived([1.0] * 4)
    assert unpacked({"restarts": packed(counted)}) == counted
    assert unpacked({}) is None


def pushed(state: str, counted: Restarts | None, now: float) -> dict[str, Any]:
    info = {
        "name": "shop-v1-prod-1a2b3c4d-web-5000",
        "statename": state,
        "description": "pid 4, uptime 0:00:01",
        "now": int(now),
    }
    return proc_object("one", info | ({"restarts": packed(counted)} if counted else {}))


@pytest.mark.parametrize("state", ["RUNNING", "STARTING", "BACKOFF", "EXITED"])
def test_a_loop_is_never_called_running(state: str) -> None:
    counted, last = lived([0.0, 4.0, 4.0, 4.0, 4.0])
    proc = pushed(state, counted, last)
    assert proc["statename"] == RESTARTING
    assert proc["description"] == "restarted 5 times in 16.0 s; pid 4, uptime 0:00:01"
    assert (proc["restarts"], proc["restarting_since"]) == (5, "2023-11-14T22:13:20+00:00")


def test_who_calmed_down_runs() -> None:
    counted, last = lived([4.0] * 5)
    proc = pushed("RUNNING", counted, last + CALM_SECONDS + 1)
    assert (proc["statename"], proc["restarts"]) == ("RUNNING", 5)
    assert proc["restarting_since"] is None


@pytest.mark.parametrize("state", ["FATAL", "STOPPED", "STOPPING"])
def test_who_was_given_up_or_stopped_does_not_restart(state: str) -> None:
    counted, last = lived([4.0] * 5)
    assert pushed(state, counted, last)["statename"] == state


def test_of_a_host_that_does_not_count_the_number_is_unknown() -> None:
    proc = pushed("RUNNING", None, 0)
    assert (proc["statename"], proc["restarts"]) == ("RUNNING", None)
