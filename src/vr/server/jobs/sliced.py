"""Work in slices: each time it waits it says for how long, and nobody's thread waits with it."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

Sliced = Generator[float, None, T]
"""Gives for how many seconds it may be left alone, each time it has nothing to do but wait; any
thread may go on with it. It returns what came out."""


def finish(work: Sliced[T]) -> T:
    """All of the work, done here, waiting in between; returns what came out."""
    while True:
        try:
            pause = next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        time.sleep(pause)
