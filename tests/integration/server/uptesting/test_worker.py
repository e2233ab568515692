"""Uptests between dispatches in a real worker."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import celery_worker, environment
from support.swarm_machine import Machine
from support.waiting import until
from vr.server.models import Dispatch, TestResult, UptestJob
from vr.server.swarming import asking
from vr.server.uptesting import asking as asking_for_uptests

HANGS = """\
#!/usr/bin/env python3
import os, time
while os.path.exists("/held/up"):
    time.sleep(0.1)
"""
WAKE = """\
import sys, django
django.setup()
from vr.server.jobs import wake
wake.now(getattr(wake, sys.argv[1]))
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

    def wake(task: str) -> None:
        subprocess.run([sys.executable, "-c", WAKE, task], env=env, check=True, timeout=60)

    held.touch()
    asking_for_uptests.uptest_swarm(served, user=None)
    with celery_worker(env, tmp_path / "log", threads=1) as worker:
        until(lambda: "ready." in (tmp_path / "log").read_text(), "it is ready", seconds=60)
        wake("GO_UPTESTING")
        until(UptestJob.objects.exclude(lease_owner="").exists, "it is under test", seconds=60)
        dispatch = asking.dispatch(other, user=None)
        wake("RESUME")
        until(lambda: not _now(dispatch).is_open, "the other is dispatched", seconds=60)
        assert _now(dispatch).status == "succeeded", _now(dispatch).error
        worker.send_signal(signal.SIGTERM)
        until(lambda: worker.poll() is not None, "the worker ends", seconds=60)
    assert not TestResult.objects.filter(testrun__dispatch=None).exists()
    held.unlink()
    # What it left is tested by the next one.
    UptestJob.objects.update(handed=None)
    with celery_worker(env, tmp_path / "log", threads=1):
        wake("GO_UPTESTING")
        until(
            TestResult.objects.filter(testrun__dispatch=None, passed=True).exists,
            "it is tested",
            seconds=60,
        )


def _now(dispatch: Dispatch) -> Dispatch:
    return Dispatch.objects.get(pk=dispatch.pk)
