"""The task that finds what nobody drives. Beat sends it, and every worker as it starts."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

# A wake-up that was not taken before the next one is sent is worth nothing.
_WAKE_EXPIRES = 5.0


@shared_task
def resume() -> None:
    """Wake whatever is open and driven by nobody: lost messages, dead workers."""
    from vr.server.jobs import unfinished, wake

    for dispatch_id in unfinished.dispatches():
        wake.now(wake.DRIVE, dispatch_id, expires=_WAKE_EXPIRES)
    for build_id in unfinished.builds():
        wake.now(wake.RUN_BUILD, build_id, expires=_WAKE_EXPIRES)


@worker_ready.connect
def _resume_at_start(**_: Any) -> None:
    """What a killed worker left goes on at once, not with the next beat."""
    from vr.server.jobs import wake

    wake.now(wake.RESUME)
