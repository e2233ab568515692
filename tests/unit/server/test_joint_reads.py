"""Reads that are shared by all who ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from support.waiting import until
from vr.server.joint_reads import JointReads


class Slow:
    """A read that ends when it is let; each run returns its number."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gate = threading.Semaphore(0)

    def __call__(self, key: str) -> int:
        self.begun.append(key)
        number = len(self.begun)
        assert self.gate.acquire(timeout=10)
        return number


def test_those_who_ask_while_one_reads_share_the_next_run_and_never_the_one_before() -> None:
    slow = Slow()
    reads = JointReads(slow)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(reads.fresh, "a")
        until(lambda: slow.begun == ["a"], "the first run began")
        others = [threads.submit(reads.fresh, "a") for _ in range(6)]
        until(lambda: len(reads._next) == 1, "somebody waits for the next run")
        slow.gate.release(2)
        assert first.result(10) == 1
        assert {other.result(10) for other in others} <= {2, 3}
        slow.gate.release(6)
    assert len(slow.begun) <= 3


def test_what_is_written_before_asking_is_seen() -> None:
    written = [0]
    reads = JointReads(lambda _: written[0])
    with ThreadPoolExecutor(8) as threads:

        def write_and_read(number: int) -> bool:
            written[0] = max(written[0], number)
            return reads.fresh(None) >= number

        assert all(threads.map(write_and_read, range(2_000)))


def test_other_keys_are_not_waited_for() -> None:
    slow = Slow()
    reads = JointReads(slow)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(reads.fresh, key) for key in ("a", "b")]
        until(lambda: sorted(slow.begun) == ["a", "b"], "both run side by side")
        slow.gate.release(2)
        assert {one.result(10) for one in both} == {1, 2}


def test_an_error_is_everybodys_and_the_next_run_is_a_new_one() -> None:
    answers: list[Exception | int] = [ValueError("no"), 7]

    def read(_: None) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    reads = JointReads(read)
    with pytest.raises(ValueError, match="no"):
        reads.fresh(None)
    assert reads.fresh(None) == 7


def test_nobody_waits_longer_than_their_patience_for_a_run_that_hangs() -> None:
    hanging = threading.Event()
    runs: list[int] = []

    def read(_: None) -> int:
        runs.append(1)
        if len(runs) == 1:
            assert hanging.wait(10)
        return len(runs)

    reads = JointReads(read, patience=0.05)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(reads.fresh, None)
        until(lambda: runs, "the run hangs")
        assert reads.fresh(None) == 2
        hanging.set()
        with suppress(TimeoutError):
            first.result(10)
    assert reads.fresh(None) == 3
