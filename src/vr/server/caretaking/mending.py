"""What the caretaker does next: from what is wanted, what is seen and what was tried. Pure.

Its invariants, which the property tests hold it to:
- a host that doesn't answer is unknown: nothing is done there, and nothing forgotten;
- a proc that its user stopped, or that a dispatch deals with, is left alone;
- one that is down is tried again for as long as it is wanted, at growing intervals;
- one that was away is well again only after its uptests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 300.0
# How long a proc must have been up before it is worth a test.
STEADY_SECONDS = 10.0


class Seen(Enum):
    """What a host's Supervisor says of a proc."""

    UP = "up"
    TRYING = "trying"  # Supervisor starts or stops it
    DOWN = "down"  # Supervisor has given it up
    STOPPED = "stopped"  # somebody stopped it
    GONE = "gone"  # Supervisor doesn't know it


class Condition(Enum):
    """How far a proc is on its way back."""

    WELL = "well"
    AWAY = "away"  # it is down, and will be started
    GONE = "gone"  # it must be set up anew
    BACK = "back"  # it runs again, and is to be tested


class Deed(Enum):
    """What is to be done to a proc."""

    NOTHING = "nothing"  # only its history changes
    START = "start"
    SET_UP = "set up"
    TEST = "test"


@dataclass(frozen=True, order=True)
class Key:
    """A proc: its host's name and its full name."""

    host: str
    proc: str


@dataclass(frozen=True)
class Wanted:
    """A proc that its swarm wants to run.

    `is_stopped`: its user said so. `is_busy`: a dispatch deals with the swarm's procs.
    """

    key: Key
    is_stopped: bool = False
    is_busy: bool = False


@dataclass(frozen=True)
class Sight:
    """A proc as it was seen: `spawn` tells one start of it from the next, `seconds` is how long
    it has been up."""

    seen: Seen
    spawn: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class History:
    """What is remembered of a proc between two looks.

    `spawn`: the start that was last good ("": the next one seen is). `tries`: how often it was
    started or tested since. `due`: when it is tried again, in unix time (None: at once).
    """

    condition: Condition = Condition.WELL
    spawn: str = ""
    tries: int = 0
    due: float | None = None


@dataclass(frozen=True)
class Action:
    """Something to do to a proc. `history` is to be stored before it is done, so that a
    caretaker who dies in between is not followed by one who tries again at once."""

    key: Key
    deed: Deed
    history: History


def mend(
    wanted: Iterable[Wanted],
    observed: Mapping[str, Mapping[str, Sight]],
    history: Mapping[Key, History],
    now: float,
) -> list[Action]:
    """What is to be done to the wanted procs now (unix time), each at most once.

    `observed`: host → proc → how it was seen; hosts that don't answer are left out.
    """
    actions = []
    for one in wanted:
        procs = observed.get(one.key.host)
        if procs is None or one.is_stopped or one.is_busy:
            continue
        sight = procs.get(one.key.proc, Sight(Seen.GONE))
        before = history.get(one.key, History())
        deed, after = _next(sight, before, now)
        if deed is not Deed.NOTHING or after != before:
            actions.append(Action(one.key, deed, after))
    return actions


def passed(spawn: str) -> History:
    """The history of a proc whose start `spawn` has passed its uptests."""
    return History(spawn=spawn)


def pause_after(tries: int) -> float:
    """How many seconds to wait after so many tries: doubled each time, within limits."""
    doublings = min(tries, 16)
    return float(min(FIRST_SECONDS * 2**doublings, LONGEST_SECONDS))


def _next(sight: Sight, before: History, now: float) -> tuple[Deed, History]:
    match sight.seen:
        case Seen.DOWN:
            return _try(Deed.START, Condition.AWAY, before, now)
        case Seen.GONE:
            return _try(Deed.SET_UP, Condition.GONE, before, now)
        case Seen.UP:
            return _up(sight, before, now)
        case Seen.TRYING | Seen.STOPPED:
            return Deed.NOTHING, before


def _try(deed: Deed, condition: Condition, before: History, now: float) -> tuple[Deed, History]:
    if before.condition is not condition or before.due is None:
        # Not at once: Supervisor may be about to do it, and what it needs may be away for long.
        due = now + pause_after(before.tries)
        return Deed.NOTHING, replace(before, condition=condition, due=due)
    if now < before.due:
        return Deed.NOTHING, before
    tries = before.tries + 1
    return deed, replace(before, tries=tries, due=now + pause_after(tries))


def _up(sight: Sight, before: History, now: float) -> tuple[Deed, History]:
    if before.condition is Condition.WELL and before.spawn in {"", sight.spawn}:
        return Deed.NOTHING, replace(before, spawn=sight.spawn)
    if before.condition is not Condition.BACK:
        # How often it was tried stays: one that is up for a moment only must not begin anew.
        return Deed.NOTHING, replace(before, condition=Condition.BACK, due=None)
    if sight.seconds < STEADY_SECONDS or (before.due is not None and now < before.due):
        return Deed.NOTHING, before
    tries = before.tries + 1
    return Deed.TEST, replace(before, tries=tries, due=now + pause_after(tries))
