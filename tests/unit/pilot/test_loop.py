"""The event loop: waiting, cancelling, timing out, one at a time."""

from __future__ import annotations

import os
import signal

import pytest

from vr.pilot.futures import Cancelled, Future, Lock, TimedOut
from vr.pilot.loop import READ, Loop
from vr.pilot.ticker import next_tick


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()


def test_tasks_run_beside_each_other_in_order_of_their_timers(loop):
    told = []

    async def tell(word, seconds):
        await loop.sleep(seconds)
        told.append(word)
        return word

    async def main():
        tasks = [loop.spawn(tell("late", 0.02)), loop.spawn(tell("early", 0.0))]
        return [await task for task in tasks]

    assert loop.run(main()) == ["late", "early"]
    assert told == ["early", "late"]


def test_cancelling_runs_finally_where_the_task_waits(loop):
    told = []

    async def wait():
        try:
            await loop.sleep(60)
        finally:
            await loop.sleep(0)
            told.append("cleaned up")

    async def main():
        task = loop.spawn(wait())
        await loop.sleep(0)
        task.cancel()
        with pytest.raises(Cancelled):
            await task

    loop.run(main())
    assert told == ["cleaned up"]


def test_within_gives_the_result_or_cancels_in_time(loop):
    async def answer(seconds):
        await loop.sleep(seconds)
        return 42

    async def main():
        assert await loop.within(30, answer(0)) == 42
        with pytest.raises(TimedOut):
            await loop.within(0.01, answer(30))

    loop.run(main())


def test_a_lock_lets_in_one_after_the_other_and_survives_cancelling(loop):
    lock = Lock(loop)
    told = []

    async def enter(name):
        async with lock:
            told.append(name)
            await loop.sleep(0.001)

    async def main():
        tasks = [loop.spawn(enter(name)) for name in "abcd"]
        await loop.sleep(0)
        tasks[1].cancel()
        for task in (tasks[0], tasks[2], tasks[3]):
            await task
        assert lock.idle

    loop.run(main())
    assert told == ["a", "c", "d"]


def test_an_error_that_nobody_awaits_is_reported(loop):
    crashes = []
    loop.on_crash = crashes.append

    async def fail():
        raise ValueError("oops")

    async def main():
        loop.spawn(fail())
        await loop.sleep(0.001)
        with pytest.raises(ValueError, match="oops"):
            await loop.spawn(fail())

    loop.run(main())
    assert [str(crash) for crash in crashes] == ["oops"]


def test_descriptors_signals_and_threads_wake_it(loop):
    import _thread

    read, write = os.pipe()
    previous = signal.getsignal(signal.SIGUSR2)
    told = []

    async def main():
        loop.on_signal(signal.SIGUSR2, lambda number: (told.append(number), os.write(write, b"x")))
        os.kill(os.getpid(), signal.SIGUSR2)
        await loop.ready(read, READ)
        done = Future(loop)
        _thread.start_new_thread(loop.call_from_thread, (lambda: done.set_result("thread"),))
        return await done

    try:
        assert loop.run(main()) == "thread"
        assert told == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, previous)
        os.close(read)
        os.close(write)


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [(10, 9.5, 10), (10, 10, 12), (10, 11.9, 12), (10, 12, 14), (10, 17.5, 18)],
)
def test_a_ticker_stays_on_its_grid_and_keeps_one_missed_tick(due, now, expected):
    assert next_tick(due, 2, now) == expected
