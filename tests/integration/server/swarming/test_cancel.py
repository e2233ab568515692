"""Dispatches that somebody cancels: undone at whatever step, told by whom, and never too late."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.celery_worker import celery_worker, environment
from support.load import Load
from support.swarm_machine import Machine
from support.waiting import until
from vr.server.models import Build, Dispatch, DispatchStatus, Event, Swarm
from vr.server.swarming import asking
from vr.server.swarming.problems import CannotCancel

HANGING = "#!/bin/sh\nsleep 1000\n"


def has_ended(dispatch: Dispatch) -> bool:
    dispatch.refresh_from_db()
    return not dispatch.is_open


def test_uptests_that_hang_are_ended_and_what_was_deployed_is_removed(
    machine: Machine,
    served: Swarm,
    untouched: Callable[[], None],
    elsewhere: Callable[[Dispatch], Any],
    user: Any,
) -> None:
    machine.build("v2", uptest=HANGING)
    dispatch = asking.dispatch(served, user=user, tag="v2")
    with elsewhere(dispatch):
        until(dispatch.steps.filter(kind="uptest").exists, "it tests", seconds=120)
        asking.cancel(dispatch, user=user)
        until(lambda: has_ended(dispatch), "it has ended", seconds=120)
    assert (dispatch.status, dispatch.error) == (DispatchStatus.CANCELLED, "Cancelled by rex.")
    untouched()
    told = Event.objects.get(tags=["cancelled", "swarm"])
    assert told.message == "Cancelled by rex. v1 still serves."


def test_a_version_that_settles_is_routed_back_without_a_failed_request(
    machine: Machine,
    served: Swarm,
    untouched: Callable[[], None],
    elsewhere: Callable[[Dispatch], Any],
) -> None:
    machine.build("v2")
    served.settle_seconds = 600
    served.save()
    dispatch = asking.dispatch(served, user=None, tag="v2")
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load, elsewhere(dispatch):
        until(lambda: load.versions["v2"] > 20, "v2 serves", seconds=120)
        asking.cancel(dispatch, user=None)
        until(lambda: has_ended(dispatch), "it has ended", seconds=120)
    assert load.failures == []
    assert (dispatch.status, dispatch.error) == (DispatchStatus.CANCELLED, "Cancelled.")
    untouched()


def test_a_cancel_outlives_the_worker_that_was_to_hear_of_it(
    machine: Machine,
    served: Swarm,
    untouched: Callable[[], None],
    elsewhere: Callable[[Dispatch], Any],
) -> None:
    machine.build("v2", uptest=HANGING)
    dispatch = asking.dispatch(served, user=None, tag="v2")
    with elsewhere(dispatch) as process:
        until(dispatch.steps.filter(kind="uptest").exists, "it tests", seconds=120)
        process.kill()
    asking.cancel(dispatch, user=None)
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.CANCELLED
    untouched()


def test_one_that_nobody_has_begun_is_over_at_once(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v2")
    dispatch = asking.dispatch(served, user=None, tag="v2")
    asking.cancel(dispatch, user=None)
    assert has_ended(dispatch)
    assert dispatch.status == DispatchStatus.CANCELLED
    untouched()


def test_one_that_waits_for_its_build_need_not_wait_for_that(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    build = machine.build("v2")
    Build.objects.filter(pk=build.pk).update(status="started", file="")
    dispatch = asking.dispatch(served, user=None, tag="v2")
    Dispatch.objects.filter(pk=dispatch.pk).update(build=build)
    machine.drive(dispatch)
    assert dispatch.is_open
    asking.cancel(dispatch, user=None)
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.CANCELLED
    untouched()


def test_a_repository_that_never_answers_is_not_waited_for(
    machine: Machine,
    served: Swarm,
    untouched: Callable[[], None],
    elsewhere: Callable[[Dispatch], Any],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(120)
        served.app.repo_url = f"git://127.0.0.1:{silent.getsockname()[1]}/shop.git"
        served.app.save()
        dispatch = asking.dispatch(served, user=None, tag="v2")
        with elsewhere(dispatch), silent.accept()[0]:
            asking.cancel(dispatch, user=None)
            until(lambda: has_ended(dispatch), "it has ended", seconds=120)
    assert dispatch.status == DispatchStatus.CANCELLED
    untouched()


def test_it_is_refused_once_it_is_too_late(machine: Machine, served: Swarm, user: Any) -> None:
    done = machine.dispatch(served)
    with pytest.raises(CannotCancel, match="has succeeded already"):
        asking.cancel(done, user=user)

    Dispatch.objects.filter(pk=done.pk).update(status="running", error="It broke.")
    with pytest.raises(CannotCancel, match="is being undone already"):
        asking.cancel(done, user=user)

    Dispatch.objects.filter(pk=done.pk).update(error="")
    done.steps.create(kind="retire", status="running", started=done.created)
    with pytest.raises(CannotCancel, match="Roll back instead: vr rollback shop-prod-web"):
        asking.cancel(done, user=user)


def test_a_cancel_that_comes_with_the_last_step_undoes_nothing(
    machine: Machine, served: Swarm
) -> None:
    machine.build("v2")
    dispatch = asking.dispatch(served, user=None, tag="v2")
    dispatch.steps.create(
        kind="settle", status="done", started=dispatch.created, ended=dispatch.created
    )
    Dispatch.objects.filter(pk=dispatch.pk).update(cancel_asked=dispatch.created)
    machine.drive(dispatch)
    assert dispatch.status == DispatchStatus.SUCCEEDED
    assert machine.nginx.get("shop").text == "v2"


def test_uptests_of_more_apps_than_a_worker_has_threads_delay_nobody_elses_swarm(
    machine: Machine, served: Swarm, settings: Any, tmp_path: Path
) -> None:
    built = machine.build("v2", uptest=HANGING)
    hanging = []
    for number in range(6):
        built.pk, built.app = None, machine.app(f"app{number}")
        built.save()
        stranger = machine.swarm(app=built.app, tag="v2", size=1, pool="", balancer="")
        hanging.append(asking.dispatch(stranger, user=None))
    own = asking.dispatch(served, user=None, tag="v1")
    env = environment(settings, tmp_path)
    with celery_worker(env, tmp_path / "log", threads=2):
        for dispatch in hanging:
            until(dispatch.steps.filter(kind="uptest").exists, "all test", seconds=120)
        until(lambda: has_ended(own), "the seventh has ended", seconds=120)
        assert own.status == DispatchStatus.SUCCEEDED
        assert not any(map(has_ended, hanging))
        for dispatch in hanging:
            asking.cancel(dispatch, user=None)
        until(lambda: all(map(has_ended, hanging)), "the others end", seconds=120)
    assert {dispatch.status for dispatch in hanging} == {DispatchStatus.CANCELLED}
    assert len(machine.procs()) == 2
