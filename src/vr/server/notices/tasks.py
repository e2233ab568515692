"""Celery's tasks of notices. Each may come twice, late or never."""

from __future__ import annotations

import threading

from celery import shared_task
from django.db import connection

_AT_ONCE = 8
_places = threading.Semaphore(_AT_ONCE)


@shared_task
def send_all() -> None:
    """Wake workers for every notifier for which something is due; beat sends it."""
    from vr.server.jobs import wake
    from vr.server.notices import waiting

    for pk in waiting.notifiers()[:_AT_ONCE]:
        wake.now(wake.SEND_NOTICES, pk, expires=5.0)


@shared_task
def send_notices(notifier_id: int) -> None:
    """Begin to send what is due for the notifier.

    It gets a thread of its own, none that a dispatch could have; it ends with the worker, as
    notices can be sent again.
    """
    if _places.acquire(blocking=False):
        threading.Thread(target=_send, args=(notifier_id,), name="notices", daemon=True).start()


@shared_task
def prune_notices() -> int:
    """Forget what was sent or given up long ago; returns how many."""
    from vr.server.notices import waiting

    return waiting.prune()


def _send(notifier_id: int) -> None:
    from vr.server.notices import sending

    try:
        sending.send_waiting(notifier_id)
    finally:
        connection.close()
        _places.release()
