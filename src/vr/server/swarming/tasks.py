"""Celery's tasks of swarms: thin wrappers that wake the engine. Each may come twice, late or
never."""

from __future__ import annotations

from celery import shared_task


@shared_task
def drive(dispatch_id: int) -> None:
    """Carry a dispatch on from wherever it is, unless another worker does so already."""
    from vr.server.swarming import engine

    engine.drive(dispatch_id)


@shared_task
def deploy_proc(release_id: int, host_id: int, proc_name: str) -> None:
    """A manual deploy of one proc."""
    from vr.server.swarming import manual

    manual.deploy_now(release_id, host_id, proc_name)
