"""Celery's task of builds. It may come twice, late or never."""

from __future__ import annotations

from celery import shared_task

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
