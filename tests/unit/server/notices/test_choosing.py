"""Which notifiers want an event."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from vr.server.events.kinds import Kind
from vr.server.notices.choosing import NAMES, Scope, Wish, expected, unknown, wants
from vr.server.notices.sending import LONGEST_SECONDS, MOST_TRIES, pause_after

SHOP = Scope(frozenset({1}), frozenset({7}))


@pytest.mark.parametrize(
    ("kinds", "kind", "wanted"),
    [
        ("bad", Kind.SWARM_FAILED, True),
        ("bad", Kind.SWARM_DONE, False),
        ("ok, bad", Kind.SWARM_DONE, True),
        ("all", Kind.USER_ADDED, True),
        ("host_silent SWARM_DONE", Kind.SWARM_DONE, True),
        ("host_silent", Kind.HOST_BACK, False),
        ("all", Kind.STEP_CHANGED, False),
        ("all warn", Kind.NOTICE_FAILED, False),
        ("", Kind.SWARM_FAILED, False),
    ],
)
def test_events_are_chosen_by_name_or_tone(kinds: str, kind: Kind, wanted: bool) -> None:
    assert wants(Wish(kinds), kind, Scope()) is wanted


def test_an_app_and_a_squad_narrow_it_down() -> None:
    for wish, wanted in (
        (Wish("all", app=1), True),
        (Wish("all", squad=7), True),
        (Wish("all", app=1, squad=7), True),
        (Wish("all", app=2), False),
        (Wish("all", app=1, squad=8), False),
    ):
        assert wants(wish, Kind.SWARM_DONE, SHOP) is wanted
    assert not wants(Wish("all", app=1), Kind.SWARM_DONE, Scope())


def test_words_that_stand_for_nothing_are_named() -> None:
    assert unknown("bad, swarm_done moon") == ["moon"]
    assert unknown(" ".join([*NAMES, "all"])) == []
    assert "swarm_failed" in expected()


@given(strategies.integers(1, MOST_TRIES))
def test_pauses_grow_and_are_bounded(tries: int) -> None:
    assert 10 <= pause_after(tries) <= LONGEST_SECONDS
    assert pause_after(tries) <= pause_after(tries + 1)
