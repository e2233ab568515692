"""Servers as processes of a test: used once they answer, ended with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from support.waiting import until


@contextmanager
def serving(
    process: subprocess.Popen[bytes],
    answers: Callable[[], bool],
    what: str,
    *,
    seconds: float = 20,
    start_seconds: float = 20,
) -> Iterator[None]:
    """Wait until the server answers, fail if it ends instead; it gets `start_seconds` for that,
    and `seconds` to end later."""

    def is_ready() -> bool:
        assert process.poll() is None, f"{what} has ended with status {process.returncode}"
        return answers()

    try:
        until(is_ready, f"{what} answers", seconds=start_seconds)
        yield
    finally:
        process.terminate()
        process.wait(seconds)
