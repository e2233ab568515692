"""Whether this worker was asked to end: then it begins nothing, and lets go of what can wait."""

from __future__ import annotations

import threading
from typing import Any

from celery.signals import worker_shutting_down

_asked = threading.Event()


def is_leaving() -> bool:
    """Whether what is under way should be left to the next worker as soon as it can be."""
    return _asked.is_set()


@worker_shutting_down.connect
def _note(**_: Any) -> None:
    _asked.set()
