"""Reading for several requests at once: whoever asks while one reads shares what is read next.

A reader never gets what was begun before it asked, so that it sees its own writes; and many
readers at once cost as much as two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class JointReads(Generic[K, T]):
    """`read(key)`, done by one thread at a time for all that wait for the key; its exception is
    everybody's.

    What it returns is shared, so nobody may change it. A read that lasts longer than `patience`
    seconds is not waited for: each reads for itself then.
    """

    def __init__(self, read: Callable[[K], T], *, patience: float = 10.0) -> None:
        self._read = read
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[K, Future[T]] = {}
        self._next: dict[K, Future[T]] = {}

    def fresh(self, key: K) -> T:
        """What `read(key)` returns in a run that begins after this call."""
        with self._lock:
            before, joined = self._under_way.get(key), self._next.get(key)
            if joined is None:
                mine: Future[T] = Future()
                runs = self._under_way if before is None else self._next
                runs[key] = mine
        if joined is not None:
            try:
                return joined.result(self._patience)
            except TimeoutError:
                return self._read(key)
        if before is not None:
            with suppress(TimeoutError):
                before.exception(self._patience)
            with self._lock:
                self._under_way[key] = self._next.pop(key)
        return self._run(key, mine)

    def _run(self, key: K, mine: Future[T]) -> T:
        try:
            found = self._read(key)
        except BaseException as error:
            self._end(key, mine)
            mine.set_exception(error)
            raise
        self._end(key, mine)
        mine.set_result(found)
        return found

    def _end(self, key: K, mine: Future[T]) -> None:
        with self._lock:
            if self._under_way.get(key) is mine:
                del self._under_way[key]
