"""Celery's task of traces. It may come twice, late or never."""

from __future__ import annotations

import threading

from celery import shared_task
from django.db import connection

_place = threading.Semaphore(1)


@shared_task
def export_traces() -> None:
    """Begin to send traces; beat sends it. An endpoint that is slow keeps a thread of its own."""
    if _place.acquire(blocking=False):
        threading.Thread(target=_export, name="traces", daemon=True).start()


def _export() -> None:
    from vr.server.tracing import exporting

    try:
        exporting.export()
    finally:
        connection.close()
        _place.release()
