"""Celery's tasks of swarms: thin wrappers that wake the engine. Each may come twice, late or
never."""

from __future__ import annotations

from celery import shared_task

from vr.server.jobs import unfinished
from vr.server.jobs.turns import Places

_PLACES = Places(unfinished.dispatches)


@shared_task
def drive(dispatch_id: int) -> None:
    """Carry on what waits, in fair turns; `dispatch_id` is only why we were woken."""
    from vr.server.swarming import engine

    _PLACES.work(engine.drive)


@shared_task
def deploy_proc(release_id: int, host_id: int, proc_name: str) -> None:
    """A manual deploy of one proc."""
    from vr.server.swarming import manual

    manual.deploy_now(release_id, host_id, proc_name)
