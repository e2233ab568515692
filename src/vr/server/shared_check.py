"""Answers that anybody may ask for, as often as they like, at a bounded cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedCheck(Generic[T]):
    """One check at a time, by one thread, whose answer is good for `fresh_seconds`."""

    def __init__(
        self, check: Callable[[], T], *, name: str = "health", fresh_seconds: float = 1.0
    ) -> None:
        self._check = check
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._last: Future[T] | None = None
        self._ended = 0.0

    def ask(self) -> Future[T]:
        """The answer of the check that is under way or was made just now, else of a new one."""
        with self._lock:
            last = self._last
            if last is None or (last.done() and self._is_old()):
                last = self._last = self._thread.submit(self._run)
            return last

    def _is_old(self) -> bool:
        return time.monotonic() - self._ended > self._fresh_seconds

    def _run(self) -> T:
        try:
            return self._check()
        finally:
            self._ended = time.monotonic()
