"""Tasks are called by name: each name must be that of a task, on the queue that it belongs to."""

from __future__ import annotations

import pytest

from vr.server.celery_app import app
from vr.server.jobs import wake


@pytest.fixture(autouse=True)
def tasks() -> None:
    app.loader.import_default_modules()


@pytest.mark.parametrize(
    ("name", "queue"),
    [
        (wake.DRIVE, "celery"),
        (wake.DEPLOY_PROC, "celery"),
        (wake.RUN_BUILD, "builds"),
        (wake.RESUME, "celery"),
    ],
)
def test_what_is_woken_is_a_task(name: str, queue: str) -> None:
    assert name in app.tasks
    route = app.amqp.router.route({}, name)
    assert getattr(route.get("queue"), "name", app.conf.task_default_queue) == queue


def test_what_beat_sends_is_a_task() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
