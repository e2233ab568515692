"""What the caretaker does next, over random lives of procs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, strategies

from vr.server.caretaking.mending import (
    FIRST_SECONDS,
    LONGEST_SECONDS,
    STEADY_SECONDS,
    Action,
    Condition,
    Deed,
    History,
    Key,
    Seen,
    Sight,
    Wanted,
    mend,
    passed,
    pause_after,
)

WEB = Key("one", "shop-v1-prod-1a2b3c4d-web-5000")
LOOK_SECONDS = 5.0

sights = strategies.builds(
    Sight,
    strategies.sampled_from(Seen),
    strategies.sampled_from(["1@1", "2@2", "3@3"]),
    strategies.floats(0, 100),
)
histories = strategies.builds(
    History,
    strategies.sampled_from(Condition),
    strategies.sampled_from(["", "1@1", "2@2"]),
    strategies.integers(0, 60),
    strategies.none() | strategies.floats(0, 2000),
)


def one(sight: Sight | None, history: History, now: float, wanted: Wanted) -> Action | None:
    observed: Mapping[str, Mapping[str, Sight]] = {}
    if sight is not None:
        observed = {WEB.host: {WEB.proc: sight}}
    found = mend([wanted], observed, {WEB: history}, now)
    assert len(found) <= 1
    return found[0] if found else None


@dataclass
class Life:
    """A proc and its caretaker, looked at every few seconds."""

    history: History = field(default_factory=History)
    now: float = 1000.0
    deeds: list[tuple[float, Deed]] = field(default_factory=list)

    def look(self, sight: Sight | None, wanted: Wanted | None = None) -> Deed:
        self.now += LOOK_SECONDS
        action = one(sight, self.history, self.now, wanted or Wanted(WEB))
        if action is None:
            return Deed.NOTHING
        self.history = action.history
        if action.deed is not Deed.NOTHING:
            self.deeds.append((self.now, action.deed))
        return action.deed

    def pass_test(self, spawn: str) -> None:
        self.history = passed(spawn)


@given(sights | strategies.none(), histories, strategies.floats(0, 4000))
def test_procs_that_are_stopped_or_busy_or_unknown_are_left_alone(
    sight: Sight | None, history: History, now: float
) -> None:
    assert one(sight, history, now, Wanted(WEB, is_stopped=True)) is None
    assert one(sight, history, now, Wanted(WEB, is_busy=True)) is None
    assert one(None, history, now, Wanted(WEB)) is None


@given(sights, histories, strategies.floats(0, 4000))
def test_each_deed_fits_what_is_seen(sight: Sight, history: History, now: float) -> None:
    action = one(sight, history, now, Wanted(WEB))
    fits = {
        Deed.START: {Seen.DOWN},
        Deed.SET_UP: {Seen.GONE},
        Deed.TEST: {Seen.UP},
        Deed.NOTHING: set(Seen),
    }
    deed = action.deed if action else Deed.NOTHING
    assert sight.seen in fits[deed]
    if deed is Deed.TEST:
        assert sight.seconds >= STEADY_SECONDS


@given(sights, histories, strategies.floats(0, 4000))
def test_who_looks_again_at_once_does_nothing_twice(
    sight: Sight, history: History, now: float
) -> None:
    action = one(sight, history, now, Wanted(WEB))
    if action and action.deed is not Deed.NOTHING:
        again = one(sight, action.history, now, Wanted(WEB))
        assert again is None


@given(strategies.lists(sights | strategies.none(), max_size=200))
def test_between_two_tries_lies_a_pause(life_of_it: list[Sight | None]) -> None:
    life = Life()
    for sight in life_of_it:
        life.look(sight)
    starts = [when for when, deed in life.deeds if deed is Deed.START]
    pauses = [later - sooner for sooner, later in pairwise(starts)]
    assert all(pause >= FIRST_SECONDS for pause in pauses)


@given(strategies.sampled_from([Seen.DOWN, Seen.GONE]), histories, strategies.integers(1, 400))
def test_a_proc_that_is_down_is_tried_for_ever(seen: Seen, history: History, looks: int) -> None:
    life = Life(history=history, now=2000.0)
    for _ in range(looks):
        life.look(Sight(seen))
    before = life.now
    while life.now < before + LONGEST_SECONDS + 2 * LOOK_SECONDS:
        life.look(Sight(seen))
    assert [when for when, _ in life.deeds if when > before]


def test_pauses_grow_from_ten_seconds_to_five_minutes() -> None:
    assert [pause_after(tries) for tries in range(7)] == [10, 20, 40, 80, 160, 300, 300]
    life = Life()
    while len(life.deeds) < 8:
        life.look(Sight(Seen.DOWN))
    starts = [when for when, _ in life.deeds]
    pauses = [later - sooner for sooner, later in pairwise(starts)]
    assert pauses == [20, 40, 80, 160, 300, 300, 300]


@given(strategies.lists(sights | strategies.none(), max_size=100))
def test_a_proc_that_was_away_is_well_only_after_a_test(life_of_it: list[Sight | None]) -> None:
    life = Life(history=passed("1@1"))
    for sight in life_of_it:
        life.look(sight)
        if life.history.condition is Condition.WELL:
            assert life.history.spawn == "1@1"


@given(strategies.lists(sights | strategies.none(), max_size=100))
def test_a_proc_that_stays_up_is_tested_and_then_left_alone(
    life_of_it: list[Sight | None],
) -> None:
    life = Life(history=passed("1@1"))
    for sight in life_of_it:
        life.look(sight)
    up = Sight(Seen.UP, "9@9", 60.0)
    deadline = life.now + LONGEST_SECONDS + 3 * LOOK_SECONDS
    while life.look(up) is not Deed.TEST:
        assert life.now < deadline
    life.pass_test("9@9")
    assert {life.look(up) for _ in range(100)} == {Deed.NOTHING}


def test_a_proc_that_fails_its_test_is_tested_again_and_again() -> None:
    life = Life(history=passed("1@1"))
    for _ in range(200):
        life.look(Sight(Seen.UP, "2@2", 60.0))
    tests = [when for when, deed in life.deeds if deed is Deed.TEST]
    assert len(tests) > 5
    assert life.history.condition is Condition.BACK


def test_a_proc_that_nobody_has_seen_before_counts_as_tested() -> None:
    life = Life()
    assert life.look(Sight(Seen.UP, "1@1", 60.0)) is Deed.NOTHING
    assert life.history == passed("1@1")


def test_one_proc_in_trouble_does_not_touch_another() -> None:
    other = Key("two", "shop-v1-prod-1a2b3c4d-web-5001")
    observed = {
        "one": {WEB.proc: Sight(Seen.DOWN)},
        "two": {other.proc: Sight(Seen.UP, "1@1", 60.0)},
    }
    history = {WEB: History(Condition.AWAY, due=0.0), other: passed("1@1")}
    [action] = mend([Wanted(WEB), Wanted(other)], observed, history, 1000.0)
    assert (action.key, action.deed) == (WEB, Deed.START)
