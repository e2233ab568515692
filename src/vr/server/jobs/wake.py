"""Waking workers: after the commit, and without hanging when the broker is away."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def after_commit(task: Any, *args: Any) -> None:
    """Send `task(*args)` once the transaction has committed.

    The broker being away loses nothing: the row is there, and `resume` finds it.
    """
    transaction.on_commit(lambda: now(task, *args))


def now(task: Any, *args: Any, expires: float | None = None) -> None:
    """Send `task(*args)`; unsent messages are only logged, as rows tell what is to do."""
    try:
        task.apply_async(args=args, expires=expires)
    except (OperationalError, OSError) as error:
        log.warning("%s%r waits for `resume`, as the broker is away: %s", task.name, args, error)
