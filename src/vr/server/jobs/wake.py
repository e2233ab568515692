"""Waking workers: after the commit, and without hanging when the broker is away.

Tasks are called by their names, so that who wakes them does not import what they do.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from vr.server.celery_app import BROKER_ERRORS, app

log = logging.getLogger(__name__)

DRIVE = "vr.server.swarming.tasks.drive"  # id of a dispatch
DEPLOY_PROC = "vr.server.swarming.tasks.deploy_proc"  # ids of release and host, name of the proc
RUN_BUILD = "vr.server.builds.tasks.run_build"  # id of a build
HOST_JOB = "vr.server.hosting.tasks.host_job"  # id of a job
CARE = "vr.server.caretaking.tasks.care"  # id of a port's lease, and a deed
MEND_POOLS = "vr.server.caretaking.tasks.mend_pools"  # a balancer's name, ids of swarms
UPTEST = "vr.server.uptesting.tasks.uptest"  # id of a port's lease
GO_UPTESTING = "vr.server.uptesting.tasks.go_round"
SEND_NOTICES = "vr.server.notices.tasks.send_notices"  # id of a notifier
RESUME = "vr.server.jobs.tasks.resume"


def after_commit(task: str, *args: Any) -> None:
    """Send the task with `args` once the transaction has committed.

    The broker being away loses nothing: the row is there, and `resume` finds it.
    """
    transaction.on_commit(lambda: now(task, *args))


def now(task: str, *args: Any, expires: float | None = None) -> None:
    """Send the task with `args`; unsent messages are only logged, as rows tell what is to do."""
    try:
        app.send_task(task, args=args, expires=expires, ignore_result=True)
    except BROKER_ERRORS as error:
        log.warning("%s%r waits for `resume`, as the broker is away: %s", task, args, error)
