"""Whose turn it is: the places of one worker, shared fairly by apps.

A message only wakes. What is done next is chosen when a thread is free: of all that waits, the
oldest of the app with the least under way here. No app gets more than half of a worker's places
(rounded up), so that a stranger's work, however long it lasts, leaves room for others.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from celery.signals import celeryd_after_setup

from vr.server.jobs import leaving


class Waiting(NamedTuple):
    """A row that waits, oldest first in lists: its key and its app's."""

    pk: int
    app: int


class Places:
    """The places of this process for one kind of work.

    `waiting` lists all that is open and driven by nobody.
    """

    def __init__(self, waiting: Callable[[], Sequence[Waiting]]) -> None:
        self._waiting = waiting
        self._lock = threading.Lock()
        self._under_way: dict[int, int] = {}

    def work(self, do: Callable[[int], object]) -> None:
        """Call `do` with one key after the other, until nothing waits that may begin here.

        Nothing is done twice by one call: what can't be done now is for a later wake-up.
        """
        done: set[int] = set()
        while (turn := self._begin(done)) is not None:
            try:
                do(turn)
            finally:
                with self._lock:
                    del self._under_way[turn]
            done.add(turn)

    def _begin(self, done: set[int]) -> int | None:
        if leaving.is_leaving():
            return None
        waiting = self._waiting()
        with self._lock:
            fresh = [one for one in waiting if one.pk not in done | self._under_way.keys()]
            chosen = next_turn(fresh, Counter(self._under_way.values()), share_of(_threads))
            if chosen is not None:
                self._under_way[chosen.pk] = chosen.app
        return None if chosen is None else chosen.pk


class Half:
    """Half of this process's threads (rounded up), at most, for one kind of work: whatever it waits
    for, the others are left for the messages of other kinds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Whether there is room for one more, within the block."""
        share = share_of(_threads)
        with self._lock:
            has_room = share is None or self._under_way < share
            self._under_way += has_room
        try:
            yield has_room
        finally:
            with self._lock:
                self._under_way -= has_room


def next_turn(
    waiting: Sequence[Waiting], under_way: Counter[int], share: int | None
) -> Waiting | None:
    """Which of `waiting` (oldest first) begins next, if any may: `under_way` counts what each
    app has, `share` is the most that one may have (None: any number)."""
    allowed = [one for one in waiting if share is None or under_way[one.app] < share]
    return min(allowed, key=lambda one: under_way[one.app], default=None)


def share_of(threads: int | None) -> int | None:
    """How many of a worker's threads one app may have; None if their number isn't known."""
    return None if threads is None else (threads + 1) // 2


def threads() -> int | None:
    """How many threads this worker was given; None if that isn't known."""
    return _threads


_threads: int | None = None


@celeryd_after_setup.connect
def _learn_threads(instance: Any, **_: Any) -> None:
    global _threads
    _threads = instance.concurrency
