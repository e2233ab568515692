"""A small event loop for coroutines: one thread, timers, file descriptors, signals.

Why not asyncio: importing it costs 10 MB and 40 ms, more than the rest of the pilot together.
Why not threads: every exit status has to be collected in one place, and stopping has to be able
to cancel whatever is under way.
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import signal
import time
from collections import deque
from typing import Any, TypeVar

from vr.pilot.futures import Cancelled, Future, Task, TimedOut, Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

READ = select.POLLIN
WRITE = select.POLLOUT
# poll() takes an int of milliseconds; waking up once an hour does no harm.
_LONGEST_WAIT = 3600.0


class Loop:
    """Runs coroutines until the main one ends. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._ready: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = itertools.count()
        self._poll = select.poll()
        self._watched: dict[int, Future[None]] = {}
        self._signals: deque[int] = deque()
        self._handlers: dict[int, Callable[[int], object]] = {}
        self._from_threads: deque[Callable[[], object]] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._poll.register(self._wake_read, READ)
        self.on_crash: Callable[[BaseException], object] = _raise

    def time(self) -> float:
        return time.monotonic()

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Start a coroutine beside the others; an error that nobody awaits goes to on_crash."""
        return Task(self, coroutine)

    def call_soon(self, call: Callable[..., object], *args: Any) -> None:
        self._ready.append((call, args))

    def call_at(self, when: float, call: Callable[[], object]) -> Timer:
        timer = Timer(call)
        heapq.heappush(self._timers, (when, next(self._sequence), timer))
        return timer

    def call_from_thread(self, call: Callable[[], object]) -> None:
        """The one method that other threads may use."""
        self._from_threads.append(call)
        self._wake()

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.time() + seconds)

    async def sleep_until(self, when: float) -> None:
        future: Future[None] = Future(self)
        timer = self.call_at(when, lambda: future.set_result(None))
        try:
            await future
        finally:
            timer.cancel()

    async def within(self, seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; raises TimedOut and cancels it after `seconds`."""
        task = self.spawn(coroutine)
        late = False

        def expire() -> None:
            nonlocal late
            late = True
            task.cancel()

        timer = self.call_at(self.time() + seconds, expire)
        try:
            return await task
        except Cancelled:
            if late and task.done:
                raise TimedOut from None
            raise
        finally:
            timer.cancel()
            task.cancel()

    async def ready(self, fd: int, events: int) -> None:
        """Wait until `fd` is ready to READ or WRITE, was hung up or broke."""
        future: Future[None] = Future(self)
        self._watched[fd] = future
        self._poll.register(fd, events)
        try:
            await future
        finally:
            self._poll.unregister(fd)
            del self._watched[fd]

    def on_signal(self, number: int, call: Callable[[int], object]) -> None:
        """Have `call(number)` called by the loop for each signal; equal ones may be merged."""
        self._handlers[number] = call
        signal.signal(number, lambda number, _: self._signals.append(number))

    @property
    def handled_signals(self) -> list[int]:
        return list(self._handlers)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until `main` returns; gives its result or raises its error."""
        previous = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            task = self.spawn(main)
            task.watched = True
            while not task.done:
                self._turn()
            return task.result()
        finally:
            signal.set_wakeup_fd(previous)

    def _turn(self) -> None:
        for fd, _ in self._poll.poll(self._longest_wait() * 1000):
            if fd == self._wake_read:
                self._drain()
            elif fd in self._watched:
                self._watched[fd].set_result(None)
        while self._signals:
            number = self._signals.popleft()
            self.call_soon(self._handlers[number], number)
        while self._from_threads:
            self.call_soon(self._from_threads.popleft())
        now = self.time()
        while self._timers and self._timers[0][0] <= now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                self.call_soon(call)
        # Only what is ready now: what these add has to let descriptors have their turn.
        for _ in range(len(self._ready)):
            call_, args = self._ready.popleft()
            try:
                call_(*args)
            except Exception as error:
                # One failing part must not take the others down with it.
                self.on_crash(error)

    def _longest_wait(self) -> float:
        if self._ready or self._signals or self._from_threads:
            return 0.0
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return _LONGEST_WAIT
        return min(max(self._timers[0][0] - self.time(), 0.0), _LONGEST_WAIT)

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            pass  # full of wake-ups already

    def _drain(self) -> None:
        try:
            while os.read(self._wake_read, 4096):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)


def _raise(error: BaseException) -> None:
    raise error
