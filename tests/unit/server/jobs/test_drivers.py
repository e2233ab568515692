"""Work in slices: what waits holds no thread, and who may go on does, fair by app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from support.waiting import until
from vr.server.jobs import leaving, turns
from vr.server.jobs.drivers import Drivers
from vr.server.jobs.sliced import Sliced, finish
from vr.server.jobs.turns import Waiting

HOG, SHOP, BLOG = 1, 2, 3
LONG = 3600.0


@dataclass
class Board:
    """Rows that wait, as the database lists them, and what was done to them."""

    left: list[Waiting] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    gate: threading.Event = field(default_factory=threading.Event)
    works: dict[int, Callable[[int], Iterator[float]]] = field(default_factory=dict)

    def waiting(self) -> list[Waiting]:
        return list(self.left)

    def begin(self, pk: int) -> Sliced[None]:
        self.left = [one for one in self.left if one.pk != pk]
        self.begun.append(pk)
        self.threads.add(threading.current_thread().name)
        yield from self.works[pk](pk)
        self.threads.add(threading.current_thread().name)
        self.ended.append(pk)

    def add(self, app: int, pks: range, work: Callable[[int], Iterator[float]]) -> None:
        self.left += [Waiting(pk, app) for pk in pks]
        self.works |= dict.fromkeys(pks, work)

    def at_once(self, _: int) -> Iterator[float]:
        yield from ()

    def parks(self, _: int) -> Iterator[float]:
        while not self.gate.is_set():
            yield 0.01

    def for_long(self, _: int) -> Iterator[float]:
        yield LONG

    def keeps_the_thread(self, _: int) -> Iterator[float]:
        assert self.gate.wait(60)
        yield from ()


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.gate.set()


@pytest.fixture(autouse=True)
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_threads", 4)


@pytest.fixture
def drivers(board: Board) -> Drivers:
    return Drivers(board.waiting, board.begin)


def test_a_thousand_that_wait_hold_nobody_up_and_no_more_threads(
    board: Board, drivers: Drivers
) -> None:
    board.add(HOG, range(700), board.for_long)
    board.add(BLOG, range(700, 1000), board.for_long)
    drivers.wake()
    until(lambda: len(board.begun) == 1000, "all wait")
    board.add(SHOP, range(1000, 1001), board.parks)
    board.gate.set()
    drivers.wake()
    until(lambda: board.ended == [1000], "the stranger's is done")
    assert len(board.threads) <= 4


def test_what_was_parked_goes_on_when_its_time_has_come(board: Board, drivers: Drivers) -> None:
    board.add(HOG, range(20), board.parks)
    drivers.wake()
    until(lambda: len(board.begun) == 20, "all wait")
    assert board.ended == []
    board.gate.set()
    until(lambda: sorted(board.ended) == [*range(20)], "all have gone on")


def test_one_due_sooner_is_not_kept_by_those_due_later(board: Board, drivers: Drivers) -> None:
    board.add(HOG, range(5), board.for_long)
    drivers.wake()
    until(lambda: len(board.begun) == 5, "all wait")
    board.gate.set()
    board.add(SHOP, range(5, 6), lambda _: iter([0.05, 0.05]))
    drivers.wake()
    until(lambda: board.ended == [5], "it is done")


def test_an_app_whose_work_never_waits_gets_half_of_the_threads(
    board: Board, drivers: Drivers
) -> None:
    board.add(HOG, range(8), board.keeps_the_thread)
    drivers.wake()
    until(lambda: len(board.begun) == 2, "half of the threads are held")
    board.add(SHOP, range(20, 21), board.at_once)
    board.add(BLOG, range(30, 31), board.at_once)
    drivers.wake()
    until(lambda: sorted(board.ended) == [20, 30], "strangers get on")
    assert len(board.begun) == 4
    board.gate.set()
    until(lambda: len(board.ended) == 10, "the held back ones follow without another wake-up")


def test_one_that_is_woken_while_it_goes_on_is_looked_at_again_afterwards(
    board: Board, drivers: Drivers
) -> None:
    board.add(SHOP, range(1), board.parks)
    drivers.wake()
    until(lambda: board.begun == [0], "it waits")
    board.add(SHOP, range(1), board.at_once)  # as a build that ended while it let go
    drivers.wake()
    drivers.wake()
    assert board.begun == [0]
    board.gate.set()
    until(lambda: board.ended == [0, 0], "once more, and only once")


def test_work_that_breaks_gives_its_thread_back(board: Board, drivers: Drivers) -> None:
    def breaks(_: int) -> Iterator[float]:
        yield 0.0
        raise LookupError("broken")

    board.add(HOG, range(9), breaks)
    board.add(SHOP, range(10, 11), board.parks)
    board.gate.set()
    drivers.wake()
    until(lambda: board.ended == [10], "the other is done")
    drivers.rest()


def test_a_worker_that_is_to_end_goes_on_with_what_waits_and_begins_nothing(
    board: Board, drivers: Drivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.add(HOG, range(5), board.for_long)
    drivers.wake()
    until(lambda: len(board.begun) == 5, "all wait")
    monkeypatch.setattr(leaving, "is_leaving", lambda: True)
    board.add(SHOP, range(5, 9), board.at_once)
    drivers.wake()
    drivers.rest()
    assert sorted(board.ended) == [*range(5)], "each heard of it and let go"


def test_the_same_work_can_be_done_here_and_now() -> None:
    def work() -> Sliced[int]:
        yield 0.01
        return 7

    assert finish(work()) == 7
