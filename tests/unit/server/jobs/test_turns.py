"""Whose turn it is: fair by app, and no app gets all places."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from support.waiting import until
from vr.server.jobs import turns
from vr.server.jobs.turns import Half, Places, Waiting, next_turn, share_of

HOG, SHOP, BLOG = 1, 2, 3


def test_an_app_gets_half_of_the_places_but_at_least_one() -> None:
    assert [share_of(threads) for threads in (None, 1, 2, 3, 4, 16)] == [None, 1, 1, 2, 2, 8]


@pytest.mark.parametrize(
    ("under_way", "share", "expected"),
    [
        ({}, 2, 10),  # nothing runs: the oldest
        ({HOG: 1}, 2, 12),  # the app with the least under way
        ({HOG: 2, SHOP: 1}, 2, 12),
        ({HOG: 1, SHOP: 2}, 2, 10),
        ({HOG: 2, SHOP: 2}, 2, None),
        ({HOG: 9}, None, 12),
    ],
)
def test_the_next_turn(under_way: dict[int, int], share: int, expected: int | None) -> None:
    waiting = [Waiting(10, HOG), Waiting(11, HOG), Waiting(12, SHOP)]
    chosen = next_turn(waiting, Counter(under_way), share)
    assert (chosen and chosen.pk) == expected


def test_a_stranger_s_endless_work_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_threads", 4)
    left = [Waiting(pk, HOG) for pk in range(8)]
    begun: list[int] = []
    release = threading.Event()

    def do(pk: int) -> None:
        begun.append(pk)
        left[:] = [one for one in left if one.pk != pk]
        if pk < 8:
            release.wait(20)

    places = Places(lambda: list(left))
    threads = [threading.Thread(target=places.work, args=(do,)) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        until(lambda: sum(not thread.is_alive() for thread in threads) == 2, "two threads are free")
        assert len(begun) == 2, "half of the places, and the others are free"
        left += [Waiting(20, SHOP), Waiting(21, BLOG)]
        places.work(do)
        assert {20, 21} <= set(begun)
    finally:
        release.set()
        for thread in threads:
            thread.join()
    assert sorted(begun) == [*range(8), 20, 21], "each once, and what was held back later"


def test_half_of_the_threads_are_for_work_that_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    half = Half()
    with half.one() as unbounded:
        assert unbounded, "nobody knows how many threads there are"
    monkeypatch.setattr(turns, "_threads", 3)
    with half.one() as first, half.one() as second:
        with half.one() as third:
            assert (first, second, third) == (True, True, False)
        with half.one() as again:
            assert not again, "who had no room gives none back"
    with pytest.raises(LookupError), half.one():
        raise LookupError
    with half.one() as first, half.one() as second:
        assert (first, second) == (True, True)


def test_what_can_t_be_done_now_is_tried_once_a_call() -> None:
    calls: list[int] = []
    Places(lambda: [Waiting(1, SHOP)]).work(calls.append)
    assert calls == [1]
