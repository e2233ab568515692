"""Celery's task of builds. It may come twice, late or never."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from vr.server.jobs import unfinished
from vr.server.jobs.turns import Places

_PLACES = Places(unfinished.builds)


@shared_task
def run_build(build_id: int) -> None:
    """Build what waits, in fair turns; `build_id` is only why we were woken."""
    _PLACES.work(_build)


def _build(build_id: int) -> None:
    from vr.server.builds import running
    from vr.server.jobs import wake

    if running.run(build_id):
        for dispatch_id in running.waiting_dispatches(build_id):
            wake.now(wake.DRIVE, dispatch_id)


@worker_shutting_down.connect
def _excuse_builds(**_: Any) -> None:
    """A signal's handler must not wait for the database."""
    from vr.server.builds import running

    threading.Thread(target=running.excuse_own, name="excuse").start()
