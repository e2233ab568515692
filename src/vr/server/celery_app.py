"""Celery: wakes workers. What is to do stands in the database, never in a message.

A message that is lost, doubled or late costs time only: `resume` finds whatever is open and
nobody drives. So messages are acknowledged when taken, and no result is kept.

Start it with threads, as the work is waiting for hosts, and containers that a worker starts die
with the thread that started them (a pool's threads live as long as the worker). Dispatches and
builds have a worker each, so that no dispatch waits behind builds:

    celery -A vr.server.celery_app worker -Q celery --pool threads --concurrency 16
    celery -A vr.server.celery_app worker -Q builds --pool threads --concurrency 4
    celery -A vr.server.celery_app beat --schedule <a file in VR_HOME>
"""

from __future__ import annotations

import os
from logging import INFO
from logging.config import dictConfig

import redis
from amqp.exceptions import AMQPError
from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu.entity import Queue
from kombu.exceptions import KombuError

from vr.server.logs import json_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vr.server.settings")

# What hosts are asked to do, and what builds take long over.
QUEUES = ("celery", "builds")
BROKER_ERRORS = (KombuError, AMQPError, redis.RedisError, OSError)
"""What a broker that is away, or refuses us, raises."""
RESUME_SECONDS = 5
CARE_SECONDS = 5
UPTEST_SECONDS = 5
NOTICE_SECONDS = 5
TRACE_SECONDS = 10
PRUNE_SECONDS = 3600

app = Celery("velociraptor")
app.config_from_object("django.conf:settings", namespace="CELERY")
if settings.LOG_FORMAT == "json":
    # Who is connected to this signal sets up the logs in Celery's place.
    setup_logging.connect(lambda loglevel=INFO, **_: dictConfig(json_logging(loglevel)), weak=False)
app.conf.update(
    imports=[
        "vr.server.swarming.tasks",
        "vr.server.caretaking.tasks",
        "vr.server.uptesting.tasks",
        "vr.server.notices.tasks",
        "vr.server.tracing.tasks",
        "vr.server.builds.tasks",
        "vr.server.hosting.tasks",
        "vr.server.jobs.tasks",
        "vr.server.events.pruning",
    ],
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # A worker takes from both unless told otherwise by -Q.
    task_queues=[Queue(name) for name in QUEUES],  # type: ignore[no-untyped-call]
    task_default_queue="celery",
    task_routes={
        "vr.server.builds.tasks.run_build": {"queue": "builds"},
        # It installs packages: no dispatch waits behind that.
        "vr.server.hosting.tasks.host_job": {"queue": "builds"},
    },
    # A thread takes one message at a time, so that no dispatch waits behind a slow one.
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
    # A request must not hang because the broker is away; `resume` does it later.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
    beat_schedule={
        "resume": {
            "task": "vr.server.jobs.tasks.resume",
            "schedule": RESUME_SECONDS,
            "options": {"expires": RESUME_SECONDS},
        },
        "go_round": {
            "task": "vr.server.caretaking.tasks.go_round",
            "schedule": CARE_SECONDS,
            "options": {"expires": CARE_SECONDS},
        },
        "go_uptesting": {
            "task": "vr.server.uptesting.tasks.go_round",
            "schedule": UPTEST_SECONDS,
            "options": {"expires": UPTEST_SECONDS},
        },
        "prune_results": {
            "task": "vr.server.uptesting.tasks.prune_results",
            "schedule": PRUNE_SECONDS,
        },
        "send_notices": {
            "task": "vr.server.notices.tasks.send_all",
            "schedule": NOTICE_SECONDS,
            "options": {"expires": NOTICE_SECONDS},
        },
        "export_traces": {
            "task": "vr.server.tracing.tasks.export_traces",
            "schedule": TRACE_SECONDS,
            "options": {"expires": TRACE_SECONDS},
        },
        "prune_notices": {
            "task": "vr.server.notices.tasks.prune_notices",
            "schedule": PRUNE_SECONDS,
        },
        "prune_events": {
            "task": "vr.server.events.pruning.prune_events",
            "schedule": PRUNE_SECONDS,
        },
    },
)
