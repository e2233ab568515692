"""The task that finds what nobody drives. Beat sends it, and every worker as it starts."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

# A wake-up that was not taken before the next one is sent is worth nothing.
_WAKE_EXPIRES = 5.0
# Each wake-up makes a thread work until nothing waits: no more than there are threads help.
_MOST_WAKES = 64


@shared_task
def resume() -> None:
    """Wake whatever is open and driven by nobody: lost messages, dead workers."""
    from vr.server.jobs import unfinished, wake

    for task, waiting in (
        (wake.DRIVE, unfinished.dispatches()),
        (wake.RUN_BUILD, unfinished.builds()),
    ):
        for one in waiting[:_MOST_WAKES]:
            wake.now(task, one.pk, expires=_WAKE_EXPIRES)
    for pk in unfinished.host_jobs()[:_MOST_WAKES]:
        wake.now(wake.HOST_JOB, pk, expires=_WAKE_EXPIRES)


@worker_ready.connect
def _resume_at_start(**_: Any) -> None:
    """What a killed worker left goes on at once, not with the next beat."""
    from vr.server.jobs import wake

    wake.now(wake.RESUME)
