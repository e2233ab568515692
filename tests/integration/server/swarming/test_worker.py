"""Dispatches whose worker is killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import celery_worker, environment
from support.load import Load
from support.swarm_machine import BROKEN, Machine
from support.waiting import until
from vr.server.models import Dispatch, DispatchStatus, PortLease, Swarm
from vr.server.swarming import asking

DRIVE = """\
import sys, django
django.setup()
from vr.server.swarming import engine
engine.drive(int(sys.argv[1]))
"""


@pytest.fixture
def served(machine: Machine) -> Swarm:
    machine.build("v1")
    machine.build("v2")
    swarm = machine.swarm()
    machine.dispatch(swarm)
    return swarm


def test_a_killed_workers_dispatch_is_completed_by_the_next_worker(
    machine: Machine, served: Swarm, settings: Any, tmp_path: Path
) -> None:
    env = environment(settings, tmp_path)
    dispatch = asking.dispatch(served, user=None, tag="v2")
    with celery_worker(env, tmp_path / "log") as worker:
        _kill_during(worker, dispatch, "deploy")
    with celery_worker(env, tmp_path / "log"):
        until(lambda: _has_ended(dispatch), "the dispatch has ended", seconds=30)
    _check(machine, dispatch, "v2")


def test_a_worker_that_is_asked_to_end_lets_go_of_what_it_waits_for(
    machine: Machine, served: Swarm, settings: Any, tmp_path: Path
) -> None:
    served.settle_seconds = 600
    served.save()
    env = environment(settings, tmp_path)
    dispatch = asking.dispatch(served, user=None, tag="v2")
    with celery_worker(env, tmp_path / "log") as worker:
        until(dispatch.steps.filter(kind="settle").exists, "it settles", seconds=120)
        worker.send_signal(signal.SIGTERM)
        until(lambda: worker.poll() is not None, "the worker ends", seconds=120)
        assert worker.returncode == 0
    dispatch.refresh_from_db()
    assert dispatch.is_open
    assert dispatch.lease_owner == ""
    served.settle_seconds = 0
    served.save()
    with celery_worker(env, tmp_path / "log"):
        until(lambda: _has_ended(dispatch), "the dispatch has ended", seconds=120)
    _check(machine, dispatch, "v2")


def test_whatever_step_a_process_dies_in_the_next_one_goes_on(
    machine: Machine, served: Swarm, settings: Any, tmp_path: Path
) -> None:
    env = environment(settings, tmp_path)
    with Load(machine.nginx.port, "shop.localhost", rate=50) as load:
        for tag, step in [("v2", "start"), ("v1", "uptest"), ("v2", "route"), ("v1", "retire")]:
            dispatch = asking.dispatch(served, user=None, tag=tag)
            _kill_during(_drive_elsewhere(dispatch, env), dispatch, step)
            # The dead process's lease has not lapsed, but it is seen to be dead.
            _check(machine, machine.drive(dispatch), tag)
    assert load.failures == []


def test_a_process_that_dies_while_it_undoes_leaves_nothing_for_ever(
    machine: Machine, served: Swarm, settings: Any, tmp_path: Path
) -> None:
    machine.build("v3", uptest=BROKEN)
    before = machine.procs()
    dispatch = asking.dispatch(served, user=None, tag="v3")
    _kill_during(_drive_elsewhere(dispatch, environment(settings, tmp_path)), dispatch, "undo")
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.FAILED
    assert "checkout is broken" in dispatch.output
    assert machine.procs() == machine.folders() == before


def _drive_elsewhere(dispatch: Dispatch, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRIVE, str(dispatch.pk)], env=env)


def _kill_during(process: subprocess.Popen[bytes], dispatch: Dispatch, kind: str) -> None:
    """Kill the process once the step is seen; that it may have ended by then is fine too."""
    seen = dispatch.steps.filter(kind=kind)
    until(seen.exists, f"step {kind} is seen", seconds=30)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _check(machine: Machine, dispatch: Dispatch, tag: str) -> None:
    assert dispatch.status == DispatchStatus.SUCCEEDED, (dispatch.error, dispatch.output)
    assert [name.split("-")[1] for name in machine.procs()] == [tag, tag]
    assert machine.folders() == machine.procs()
    assert PortLease.objects.count() == len(machine.nodes()) == 2


def _has_ended(dispatch: Dispatch) -> bool:
    dispatch.refresh_from_db()
    return not dispatch.is_open
