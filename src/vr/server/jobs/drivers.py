"""The threads of a worker that carry on what is done in slices: what waits holds none of them.

A message only wakes. Of all that can go on, next comes what has waited longest, of the app with
the least under way here; no app gets more than half of the threads, so that what a stranger does
leaves room for others, and what a stranger waits for costs them nothing.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from django.db import DatabaseError, connection

from vr.server.jobs import leaving, turns
from vr.server.jobs.sliced import Sliced
from vr.server.jobs.turns import Waiting, next_turn, share_of

log = logging.getLogger(__name__)

# Where nobody says how many threads the worker has.
_SIZE = 4
# How soon those that wait hear that the worker is to end.
_LOOK_SECONDS = 1.0
# How long a thread keeps a connection to the database, which may be lost without a word.
_CONNECTION_SECONDS = 60.0


@dataclass(frozen=True)
class _Piece:
    """One row's work, by the row's key and its app's; `work` is None before it has begun. What it
    sets in its `context` is there in each slice, whichever thread it gets."""

    pk: int
    app: int
    work: Sliced[Any] | None = None
    context: Context = field(default_factory=copy_context)


class Drivers:
    """The drivers of this process for one kind of work, as many as the worker has threads.

    `waiting` lists all that is open and driven by nobody, `begin` gives the work of one key. The
    threads stay once they are started: what they have started may end with them.
    """

    def __init__(
        self, waiting: Callable[[], Sequence[Waiting]], begin: Callable[[int], Sliced[Any]]
    ) -> None:
        self._waiting = waiting
        self._begin = begin
        lock = threading.Lock()
        self._changed, self._ended = threading.Condition(lock), threading.Condition(lock)
        self._numbers = count()
        # What could go on now, longest first; what waits, by when it is to go on; keys of all
        # that has begun and not ended; the apps of what a thread is at.
        self._ready: list[_Piece] = []
        self._parked: list[tuple[float, int, _Piece]] = []
        self._open: set[int] = set()
        self._under_way: Counter[int] = Counter()
        self._threads = 0
        self._idle = 0
        # Until when some idle thread sleeps at most.
        self._watched_until = float("inf")

    def wake(self) -> None:
        """Look for what waits, and have it carried on; returns at once."""
        found = [_Piece(*one) for one in self._waiting()]
        with self._changed:
            known = {piece.pk for piece in self._ready if piece.work is None}
            self._ready += [piece for piece in found if piece.pk not in known]
            self._call_one()

    def rest(self) -> None:
        """Wait until nothing is under way, when the worker was asked to end."""
        with self._changed:
            self._changed.notify_all()
            self._ended.wait_for(lambda: not self._open)

    def _call_one(self) -> None:
        """Have somebody look at what there is to do, or to wait for."""
        if self._idle:
            self._changed.notify()
        elif self._threads < _size():
            self._threads += 1
            name = f"driver-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        fresh_until = 0.0
        while True:
            piece = self._next()
            if time.monotonic() > fresh_until:
                connection.close()
                fresh_until = time.monotonic() + _CONNECTION_SECONDS
            if not self._carry_on(piece):
                fresh_until = 0.0

    def _next(self) -> _Piece:
        with self._changed:
            while (piece := self._choose()) is None:
                self._sleep()
            if self._ready or self._parked:
                self._call_one()
            return piece

    def _sleep(self) -> None:
        """Wait until there may be something to do. Only one thread waits for what is parked."""
        until = float("inf")
        if self._parked:
            until = min(self._parked[0][0], time.monotonic() + _LOOK_SECONDS)
        watches = until < self._watched_until
        if watches:
            self._watched_until = until
        self._idle += 1
        self._changed.wait(max(0.0, until - time.monotonic()) if watches else None)
        self._idle -= 1
        if watches and self._watched_until == until:
            self._watched_until = float("inf")

    def _choose(self) -> _Piece | None:
        is_leaving, now = leaving.is_leaving(), time.monotonic()
        while self._parked and (self._parked[0][0] <= now or is_leaving):
            self._ready.append(heapq.heappop(self._parked)[2])
        if is_leaving:
            self._ready = [piece for piece in self._ready if piece.work is not None]
        # What has begun here is looked at anew when it has ended.
        able = {p.pk: p for p in self._ready if p.work is not None or p.pk not in self._open}
        waiting = [Waiting(piece.pk, piece.app) for piece in able.values()]
        turn = next_turn(waiting, self._under_way, share_of(_size()))
        if turn is None:
            return None
        piece = able[turn.pk]
        self._ready.remove(piece)
        self._open.add(piece.pk)
        self._under_way[piece.app] += 1
        return piece

    def _carry_on(self, piece: _Piece) -> bool:
        """One slice; returns whether nothing went wrong."""
        pause: float | None = None
        is_well = True
        work = piece.work
        try:
            work = work or self._begin(piece.pk)
            pause = piece.context.run(next, work)
        except StopIteration:
            pass
        except Exception as error:
            # Its row says how far it is: it is found again, and carried on.
            log.log(
                logging.WARNING if isinstance(error, DatabaseError) else logging.ERROR,
                "%s is left for later",
                piece.pk,
                exc_info=error,
            )
            is_well = False
        with self._changed:
            self._under_way -= Counter([piece.app])
            if pause is None:
                self._open.discard(piece.pk)
                self._ended.notify_all()
            else:
                due = time.monotonic() + pause
                parked = replace(piece, work=work)
                heapq.heappush(self._parked, (due, next(self._numbers), parked))
        return is_well


def _size() -> int:
    return turns.threads() or _SIZE
