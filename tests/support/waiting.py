"""Waiting for a condition with a deadline, instead of sleeping."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# An emulated machine (bin/cgroup2-machine) needs more of it.
_PATIENCE = float(os.environ.get("VR_TEST_PATIENCE", "1"))


def until(condition: Callable[[], T], what: str, *, seconds: float = 20) -> T:
    """The first truthy value of `condition`; fails naming `what` after `seconds`."""
    seconds *= _PATIENCE
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.02)
    return value
