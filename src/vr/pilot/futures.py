"""Values that come later, and the coroutines that wait for them."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from typing import Protocol

    class Scheduler(Protocol):
        """What futures need of their loop."""

        def call_soon(self, call: Callable[..., object], *args: Any) -> None: ...

        def on_crash(self, error: BaseException, /) -> object: ...


T = TypeVar("T")


class Cancelled(BaseException):
    """Thrown into a coroutine where it waits, when its task is cancelled."""


class TimedOut(Exception):
    """What `Loop.within` raises after its seconds."""


class Future(Generic[T]):
    """A value that comes later. Await it, or have a function called."""

    __slots__ = ("_callbacks", "_error", "_loop", "_value", "done", "watched")

    def __init__(self, loop: Scheduler) -> None:
        self._loop = loop
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], object]] = []
        self.done = False
        # Somebody will see how it ends.
        self.watched = False

    def set_result(self, value: T) -> None:
        """Only the first end counts."""
        self._end(value, None)

    def set_error(self, error: BaseException) -> None:
        self._end(None, error)

    def _end(self, value: Any, error: BaseException | None) -> None:
        if self.done:
            return
        self.done, self._value, self._error = True, value, error
        for callback in self._callbacks:
            self._loop.call_soon(callback, self)
        self._callbacks.clear()

    def on_done(self, callback: Callable[[Any], object]) -> None:
        """Have `callback(self)` called by the loop once it is done."""
        self.watched = True
        if self.done:
            self._loop.call_soon(callback, self)
        else:
            self._callbacks.append(callback)

    @property
    def error(self) -> BaseException | None:
        return self._error

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        value: T = self._value
        return value

    def __await__(self) -> Generator[Future[T], None, T]:
        self.watched = True
        if not self.done:
            yield self
        return self.result()


class Task(Future[T]):
    """A running coroutine; done when it returns."""

    __slots__ = ("_cancelling", "_coroutine", "_waiting")

    def __init__(self, loop: Scheduler, coroutine: Coroutine[Any, Any, T]) -> None:
        super().__init__(loop)
        self._coroutine = coroutine
        self._cancelling = False
        self._waiting: Future[Any] | None = None
        loop.call_soon(self._step)

    def cancel(self) -> None:
        """Throw Cancelled into it where it waits; its `finally` clauses run."""
        if self.done:
            return
        self._cancelling = True
        if self._waiting is not None:
            self._waiting = None
            self._loop.call_soon(self._step)

    def _wake(self, future: Future[Any]) -> None:
        # Otherwise it was cancelled meanwhile.
        if self._waiting is future:
            self._waiting = None
            self._step()

    def _step(self) -> None:
        if self.done:
            return
        try:
            if self._cancelling:
                self._cancelling = False
                awaited = self._coroutine.throw(Cancelled())
            else:
                awaited = self._coroutine.send(None)
        except StopIteration as stop:
            self.set_result(stop.value)
        except (Cancelled, Exception) as error:
            self.set_error(error)
            if not self.watched and not isinstance(error, Cancelled):
                self._loop.on_crash(error)
        else:
            self._waiting = awaited
            awaited.on_done(self._wake)
            if self._cancelling:
                self.cancel()


class Timer:
    """A call at a certain time, which can be called off."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], object]) -> None:
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None


class Lock:
    """One at a time, in order of asking: `async with lock`."""

    def __init__(self, loop: Scheduler) -> None:
        self._loop = loop
        self._held = False
        self._queue: deque[Future[None]] = deque()

    @property
    def idle(self) -> bool:
        return not self._held and not self._queue

    async def __aenter__(self) -> None:
        if not self._held:
            self._held = True
            return
        turn: Future[None] = Future(self._loop)
        self._queue.append(turn)
        try:
            await turn
        except Cancelled:
            if turn.done:
                self._pass_on()
            else:
                self._queue.remove(turn)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        if self._queue:
            self._queue.popleft().set_result(None)
        else:
            self._held = False
