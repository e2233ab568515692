"""Celery's task of a build. It may come twice, late or never."""

from __future__ import annotations

from celery import shared_task


@shared_task
def run_build(build_id: int) -> None:
    """Build a pending build, unless another worker does so already; then wake who waits."""
    from vr.server.builds import running
    from vr.server.jobs import wake

    if running.run(build_id):
        for dispatch_id in running.waiting_dispatches(build_id):
            wake.now(wake.DRIVE, dispatch_id)
