"""Work side by side: in order, bounded, without deadlock, one caller not behind another."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from vr.hosts.crews import Crew
from vr.server.jobs.sliced import finish


@pytest.mark.parametrize("number", [0, 1, 2, 100])
def test_results_come_in_the_order_of_the_items(number: int) -> None:
    assert Crew("test").do(lambda item: item * 2, range(number)) == [n * 2 for n in range(number)]


def test_items_are_done_at_the_same_time() -> None:
    together = threading.Barrier(4)
    # Would never return if one had to end before another begins.
    assert sorted(Crew("test", size=3, share=4).do(lambda _: together.wait(20), range(4))) == [
        *range(4)
    ]


def test_no_more_threads_than_the_crew_has_work_for_all_callers_together() -> None:
    crew = Crew("test", size=2, share=8)
    threads: Counter[str] = Counter()

    def note(_: int) -> None:
        threads[threading.current_thread().name] += 1

    callers = [
        threading.Thread(target=crew.do, args=(note, range(50)), name=f"caller {n}")
        for n in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert threads.total() == 150
    assert len([name for name in threads if not name.startswith("caller")]) <= 2


def test_one_caller_gets_no_more_than_its_share() -> None:
    crew = Crew("test", size=16, share=3)
    busy, most = 0, 0
    lock = threading.Lock()
    third = threading.Semaphore(0)

    def work(item: int) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            if busy == 3:
                third.release(1000)
        # The first ones wait until as many are under way as may be.
        assert third.acquire(timeout=20)
        with lock:
            busy -= 1

    crew.do(work, range(40))
    assert most == 3


def test_work_that_calls_the_same_crew_gets_on_when_all_threads_are_busy() -> None:
    crew = Crew("test", size=1, share=2)

    def nested(depth: int) -> int:
        return 1 if depth == 0 else sum(crew.do(nested, [depth - 1] * 3))

    assert nested(5) == 3**5


def test_a_caller_gets_on_while_a_stranger_keeps_every_thread_busy() -> None:
    crew = Crew("test", size=2, share=3)
    started, over = threading.Barrier(4), threading.Event()

    def long(_: int) -> None:
        started.wait(20)
        over.wait(20)

    stranger = threading.Thread(target=crew.do, args=(long, range(3)))
    stranger.start()
    started.wait(20)
    assert crew.do(str, range(5)) == list("01234")
    over.set()
    stranger.join(20)


def test_the_first_exception_in_order_is_raised_when_all_have_ended() -> None:
    both, ended = threading.Barrier(2), []

    def work(item: int) -> None:
        both.wait(20)
        if item == 0:
            # The second has failed by then.
            assert second_failed.wait(20)
            ended.append(item)
            raise ValueError("first")
        second_failed.set()
        raise ValueError("second")

    second_failed = threading.Event()
    with pytest.raises(ValueError, match="first"):
        Crew("test", size=1, share=2).do(work, range(2))
    assert ended == [0]


def test_nothing_more_is_begun_after_a_failure() -> None:
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        Crew("test", share=1).do(work, range(10))
    assert begun == [0]


def test_work_that_is_given_up_leaves_the_rest_undone() -> None:
    begun: list[int] = []
    gate, is_begun = threading.Event(), threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        is_begun.set()
        assert gate.wait(20)

    def check() -> None:
        raise LookupError

    job = Crew("test", size=1, share=1).begin(work, range(5)).watched(check)
    assert next(job) > 0
    assert is_begun.wait(20)
    with pytest.raises(LookupError):
        next(job)
    gate.set()
    assert begun == [0]


def test_work_that_is_looked_at_now_and_then_ends_as_other_work_does() -> None:
    assert finish(Crew("test", size=2).begin(lambda n: n * n, range(5)).watched(lambda: None)) == [
        *(0, 1, 4, 9, 16)
    ]
    with pytest.raises(ZeroDivisionError):
        finish(Crew("test").begin(lambda n: 1 // n, [1, 0]).watched(lambda: None))
