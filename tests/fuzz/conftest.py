"""Each example may use so much CPU time and memory and no more."""

from __future__ import annotations

import faulthandler
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

_CPU_SECONDS = 20.0
"""Of one example: what any of them needs is far below, what takes for ever is far above."""
_MORE_MEMORY = 1 << 30
_HANG_SECONDS = 900
"""Code in C that holds the interpreter is ended, with the whole run, so that CI ends."""

Bounded = Callable[[], AbstractContextManager[None]]


@contextmanager
def _bounded_example() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_VIRTUAL, _CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _too_long(number: int, frame: object) -> None:
    raise AssertionError(f"one example took more than {_CPU_SECONDS:.0f} seconds of CPU time")


@pytest.fixture
def bounded() -> Iterator[Bounded]:
    """Wraps an example, whose memory and CPU time are bounded."""
    before, former = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGVTALRM)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _MORE_MEMORY, before[1]))
    signal.signal(signal.SIGVTALRM, _too_long)
    faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
    try:
        yield _bounded_example
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGVTALRM, former)
        resource.setrlimit(resource.RLIMIT_AS, before)
