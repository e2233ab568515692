"""Celery's task of work on hosts. It may come twice, late or never."""

from __future__ import annotations

from celery import shared_task


@shared_task
def host_job(job_id: int) -> None:
    """Do the work, unless it has ended or another worker is at it."""
    from vr.server.hosting import running

    running.run(job_id)
