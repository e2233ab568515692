"""Work on hosts, side by side: by threads that the whole process shares, some for each kind.

A dispatch of a thousand procs gets no more threads than one of ten, and takes none from work of
another kind: a long uptest keeps nobody from looking at a host.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

# How soon a job is looked at again that is left alone.
_PAUSE = 0.03

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """The threads for one kind of work: `size` in the process, `share` of them for one caller."""

    def __init__(self, name: str, *, size: int = 16, share: int = 8) -> None:
        self.name = name
        self._share = share
        # Threads start when they are needed, and stay.
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)

    def do(
        self,
        work: Callable[[T], R],
        items: Iterable[T],
    ) -> list[R]:
        """`work` done to all items side by side; returns what it returned, in their order.

        Once it has raised for one, no other is begun; when those under way have ended, the
        exception of the first in order is raised. The caller's thread works, too: so `work` may
        itself call a crew, this one included, and gets on when all threads are busy. Other
        threads have no database connection that anybody would close.
        """
        job: Job[R] = Job(work, list(items))
        self._begin(job, min(len(job.results) - 1, self._share - 1))
        job.do_all()
        return job.ended()

    def begin(self, work: Callable[[T], R], items: Iterable[T]) -> Job[R]:
        """As `do`, without the caller's thread, which looks in again: `Job.watched`."""
        job: Job[R] = Job(work, list(items))
        self._begin(job, min(len(job.results), self._share))
        return job

    def _begin(self, job: Job[Any], threads: int) -> None:
        for _ in range(threads):
            self._threads.submit(self._help, job)

    def _help(self, job: Job[Any]) -> None:
        # One item at a time, then to the end of the queue: callers get the threads in turn.
        if job.do_next():
            self._threads.submit(self._help, job)


class Job(Generic[R]):
    """The items of one call: what is still to do, what is under way, what came out."""

    def __init__(self, work: Callable[[Any], Any], items: list[Any]) -> None:
        self.results: list[R] = [None] * len(items)  # type: ignore[list-item]
        # What is logged for the caller says so, whichever thread it is.
        context = contextvars.copy_context()
        self._work: Callable[[Any], Any] = lambda item: context.copy().run(work, item)
        self._left = deque(enumerate(items))
        self._errors: dict[int, BaseException] = {}
        self._under_way = 0
        self._changed = threading.Condition()

    def do_next(self) -> bool:
        """Do one item; False if there is none left to begin."""
        with self._changed:
            if not self._left:
                return False
            number, item = self._left.popleft()
            self._under_way += 1
        error: BaseException | None = None
        try:
            self.results[number] = self._work(item)
        except BaseException as raised:
            error = raised
        with self._changed:
            self._under_way -= 1
            if error is not None:
                self._errors[number] = error
                self._left.clear()
            self._changed.notify_all()
        return True

    def do_all(self) -> None:
        """Do one item after the other until none is left to begin."""
        while self.do_next():
            pass

    def watched(self, check: Callable[[], None]) -> Generator[float, None, list[R]]:
        """As `ended`, in slices: gives for how many seconds it may be left alone. `check` is called
        in each, and what it raises is raised at once: then no other item is begun, and what is
        under way is left behind."""
        try:
            while not self._is_over():
                yield _PAUSE
                check()
        except BaseException:
            with self._changed:
                self._left.clear()
            raise
        return self.ended()

    def _is_over(self) -> bool:
        with self._changed:
            return not self._left and not self._under_way

    def ended(self) -> list[R]:
        """The results, when nothing is under way any more; raises the first exception."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)
        if self._errors:
            raise self._errors[min(self._errors)]
        return self.results


LOOKING = Crew("look")
SETTING_UP = Crew("set-up")
TEARING_DOWN = Crew("tear-down")
TESTING = Crew("test")
