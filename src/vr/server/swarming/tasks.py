"""Celery tasks: thin wrappers that wake the engine. Each may come twice, late or never."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_ready

log = logging.getLogger(__name__)

# A wake-up that was not taken before the next one is sent is worth nothing.
_WAKE_EXPIRES = 5.0


@shared_task
def drive(dispatch_id: int) -> None:
    """Carry a dispatch on from wherever it is, unless another worker does so already."""
    from vr.server.swarming import engine

    engine.drive(dispatch_id)


@shared_task
def run_build(build_id: int) -> None:
    """Build a pending build, unless another worker does so already; then wake who waits."""
    from vr.server.builds import running
    from vr.server.jobs import wake

    if running.run(build_id):
        for dispatch_id in running.waiting_dispatches(build_id):
            wake.now(drive, dispatch_id)


@shared_task
def deploy_proc(release_id: int, host_id: int, proc_name: str) -> None:
    """A manual deploy of one proc."""
    from vr.server.swarming import procs

    procs.deploy_now(release_id, host_id, proc_name)


@shared_task
def resume() -> None:
    """Wake whatever is open and driven by nobody: lost messages, dead workers."""
    from vr.server.jobs import unfinished, wake

    for dispatch_id in unfinished.dispatches():
        wake.now(drive, dispatch_id, expires=_WAKE_EXPIRES)
    for build_id in unfinished.builds():
        wake.now(run_build, build_id, expires=_WAKE_EXPIRES)


@worker_ready.connect
def _resume_at_start(**_: Any) -> None:
    """What a killed worker left goes on at once, not with the next beat."""
    from vr.server.jobs import wake

    wake.now(resume)
