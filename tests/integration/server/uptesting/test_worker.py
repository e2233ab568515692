"""Uptests between dispatches in a real worker."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import celery_worker, environment
from support.swarm_machine import Machine
from support.waiting import until
from vr.server.celery_app import app
from vr.server.jobs import wake
from vr.server.models import Dispatch, TestResult, UptestJob
from vr.server.swarming import asking
from vr.server.uptesting import asking as asking_for_uptests

HANGS = """\
#!/usr/bin/env python3
import os, time
while os.path.exists("/held/up"):
    time.sleep(0.1)
"""


@pytest.fixture
def held(tmp_path: Path, settings: Any) -> Path:
    """While this file is there, uptests of procs that have it mounted don't end."""
    (tmp_path / "held").mkdir(mode=0o755)
    settings.VOLUME_ROOTS = [str(tmp_path)]
    return tmp_path / "held" / "up"


def test_uptests_that_hang_keep_no_thread_from_dispatches_and_end_with_the_worker(
    machine: Machine, held: Path, settings: Any, tmp_path: Path
) -> None:
    machine.build("v1", uptest=HANGS)
    served = machine.swarm(size=1, volumes_yaml=f"- [{held.parent}, /held]")
    machine.dispatch(served)
    other = machine.swarm(config_name="test", size=1, pool="")
    env = environment(settings, tmp_path) | {"VR_VOLUME_ROOTS": str(tmp_path)}
    held.touch()
    asking_for_uptests.uptest_swarm(served, user=None)
    with celery_worker(env, tmp_path / "log", threads=1) as worker:
        until(lambda: "ready." in (tmp_path / "log").read_text(), "it is ready", seconds=60)
        _send(wake.GO_UPTESTING, settings.REDIS_URL)
        until(UptestJob.objects.exclude(lease_owner="").exists, "it is under test", seconds=60)
        dispatch = asking.dispatch(other, user=None)
        _send(wake.RESUME, settings.REDIS_URL)
        until(lambda: not _now(dispatch).is_open, "the other is dispatched", seconds=60)
        assert _now(dispatch).status == "succeeded", _now(dispatch).error
        worker.send_signal(signal.SIGTERM)
        until(lambda: worker.poll() is not None, "the worker ends", seconds=60)
    assert not TestResult.objects.filter(testrun__dispatch=None).exists()
    assert UptestJob.objects.exists()
    held.unlink()


def _send(task: str, broker: str) -> None:
    with app.connection_for_write(broker.replace("unix://", "redis+socket://")) as connection:
        app.send_task(task, connection=connection, ignore_result=True)


def _now(dispatch: Dispatch) -> Dispatch:
    return Dispatch.objects.get(pk=dispatch.pk)
