"""Celery's tasks of swarms: thin wrappers that wake the engine. Each may come twice, late or
never."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_shutdown

from vr.server.jobs import unfinished
from vr.server.jobs.drivers import Drivers
from vr.server.jobs.sliced import Sliced


def _begin(dispatch_id: int) -> Sliced[Any]:
    from vr.server.swarming import engine

    return engine.driving(dispatch_id)


_DRIVERS = Drivers(unfinished.dispatches, _begin)


@shared_task
def drive(dispatch_id: int) -> None:
    """Have carried on what waits, in fair turns; `dispatch_id` is only why we were woken."""
    _DRIVERS.wake()


@worker_shutdown.connect
def _rest(**_: Any) -> None:
    """What is under way ends, or lets go, before the worker's process does."""
    _DRIVERS.rest()


@shared_task
def deploy_proc(release_id: int, host_id: int, proc_name: str) -> None:
    """A manual deploy of one proc."""
    from vr.server.swarming import manual

    manual.deploy_now(release_id, host_id, proc_name)
