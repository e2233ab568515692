"""Celery's tasks of uptests between dispatches. Each may come twice, late or never."""

from __future__ import annotations

import threading

from celery import shared_task
from django.db import connection

from vr.server.uptesting.schedule import AT_ONCE

_places = threading.Semaphore(AT_ONCE)


@shared_task
def go_round() -> None:
    """See what is due; beat sends it, and whoever asks for uptests."""
    from vr.server.uptesting import rounds

    rounds.go_round()


@shared_task
def uptest(lease_id: int) -> None:
    """Begin the uptests of the proc that owns the leased port.

    They get a thread of their own: none that a dispatch could have. It ends with the worker, as
    tests can be run again.
    """
    if _places.acquire(blocking=False):
        threading.Thread(target=_carry_out, args=(lease_id,), name="uptest", daemon=True).start()


@shared_task
def prune_results() -> int:
    """Forget old results; returns how many."""
    from vr.server.uptesting import pruning

    return pruning.prune()


def _carry_out(lease_id: int) -> None:
    from vr.server.uptesting import carrying_out, rounds

    try:
        carrying_out.carry_out(lease_id)
        rounds.hand_out()
    finally:
        connection.close()
        _places.release()
