"""Dispatches against real containers, a real supervisord and a real nginx."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from support.load import Load
from support.ports import port_range
from support.swarm_machine import BROKEN, HOST, Machine
from support.waiting import until
from vr.errors import VelociraptorError
from vr.server.models import Dispatch, DispatchStatus, Event, Ingredient, PortLease, Swarm
from vr.server.swarming import asking, hand
from vr.server.swarming.problems import CannotDispatch, NothingToRollBackTo, SwarmBusy
from vr.server.swarming.proc_actions import proc_action


def steps(dispatch: Dispatch) -> list[tuple[str, str]]:
    return [(step.kind, step.status) for step in dispatch.steps.all()]


def succeeded(dispatch: Dispatch) -> Dispatch:
    assert dispatch.status == DispatchStatus.SUCCEEDED, f"{dispatch.error}\n{dispatch.output}"
    return dispatch


def test_a_first_dispatch_brings_tested_procs_into_the_pool(machine: Machine) -> None:
    machine.build("v1")
    dispatch = succeeded(machine.dispatch(machine.swarm()))
    assert machine.nginx.get("shop").text == "v1"
    assert len(machine.nodes()) == len(machine.procs()) == PortLease.objects.count() == 2
    done = ["build", "release", "deploy", "start", "uptest", "route"]
    assert steps(dispatch) == [(kind, "done") for kind in done]
    messages = {step.kind: step.message for step in dispatch.steps.all()}
    assert messages["start"] in {"2 of 2 procs ready", "2 of 2 procs stayed up"}
    assert messages["uptest"].startswith("2 uptests of 2 procs passed in ")
    tags = [event.tags for event in Event.objects.filter(trace_id=dispatch.trace_id)]
    for expected in (["deploy"], ["success", "uptest"], ["route"], ["swarm", "deploy", "done"]):
        assert expected in tags


def test_the_next_version_replaces_the_old_one_without_a_failed_request(
    machine: Machine, served: Swarm
) -> None:
    machine.build("v2")
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load:
        succeeded(machine.dispatch(served, tag="v2"))
        succeeded(machine.dispatch(served, tag="v1"))
        until(lambda: load.versions["v1"] > 20, "v1 serves again")
    assert load.failures == []
    assert set(load.versions) == {"v1", "v2"}
    assert len(machine.procs()) == len(machine.folders()) == PortLease.objects.count() == 2
    assert all("-v1-" in name for name in machine.procs())


def test_dispatching_what_is_right_tests_and_routes_again_and_deploys_nothing(
    machine: Machine, served: Swarm
) -> None:
    before = machine.procs()
    dispatch = succeeded(machine.dispatch(served, tag="-"))
    assert [kind for kind, _ in steps(dispatch)] == ["build", "release", "uptest", "route"]
    assert machine.procs() == before


def test_changed_config_is_another_release_of_the_same_build(
    machine: Machine, served: Swarm
) -> None:
    served.env_yaml = "VERSION: v1-with-new-config"
    served.save()
    dispatch = succeeded(machine.dispatch(served))
    assert dispatch.build == dispatch.previous_release.build
    assert dispatch.release != dispatch.previous_release
    assert machine.nginx.get("shop").text == "v1-with-new-config"


def test_failing_uptests_leave_the_old_version_and_say_why(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v3", uptest=BROKEN)
    dispatch = machine.dispatch(served, tag="v3")
    assert dispatch.status == DispatchStatus.FAILED
    assert "uptests" in dispatch.error and "web" in dispatch.error
    assert "checkout is broken" in dispatch.output
    assert ("uptest", "failed") in steps(dispatch) and ("undo", "done") in steps(dispatch)
    untouched()


def test_a_proc_that_dies_at_start_is_removed_and_its_log_shown(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v3", web="echo no database; exit 3")
    dispatch = machine.dispatch(served, tag="v3")
    assert dispatch.status == DispatchStatus.FAILED
    assert "died at start" in dispatch.error
    assert "no database" in dispatch.output
    untouched()


def test_a_proc_that_does_not_listen_in_time_is_removed(
    machine: Machine, served: Swarm, untouched: Callable[[], None], settings: Any
) -> None:
    settings.START_SECONDS = 1.5
    machine.build("v3", web="echo dreaming; sleep 1000")
    dispatch = machine.dispatch(served, tag="v3")
    assert "did not accept connections on port" in dispatch.error
    assert "dreaming" in dispatch.output
    untouched()


def test_a_proc_name_that_the_app_lacks_is_told_before_anything_is_deployed(
    machine: Machine,
) -> None:
    machine.build("v1")
    dispatch = machine.dispatch(machine.swarm(proc_name="wbe"))
    assert dispatch.status == DispatchStatus.FAILED
    assert "no proc named 'wbe'; its Procfile has: web, worker" in dispatch.error
    assert machine.folders() == []


def test_a_refused_pool_file_leaves_the_old_version_and_shows_what_nginx_says(
    machine: Machine, served: Swarm, untouched: Callable[[], None]
) -> None:
    machine.build("v2")
    foreign = machine.nginx.folder / "pools" / "broken.conf"
    foreign.write_text("upstream x { }")
    try:
        dispatch = machine.dispatch(served, tag="v2")
    finally:
        foreign.unlink()
    assert dispatch.status == DispatchStatus.FAILED
    assert "no servers are inside upstream" in dispatch.output
    untouched()


@pytest.mark.parametrize("seconds", [0.3, 2])
def test_a_version_that_dies_while_it_settles_fails_no_request_and_leaves_the_old_one(
    machine: Machine,
    served: Swarm,
    untouched: Callable[[], None],
    settings: Any,
    seconds: float,
) -> None:
    settings.SETTLE_SECONDS = 8
    machine.build("v2", web=f"timeout {seconds} python3 app.py")
    with Load(machine.nginx.port, "shop.localhost", rate=200) as load:
        dispatch = machine.dispatch(served, tag="v2")
        before = load.versions["v1"]
        until(lambda: load.versions["v1"] > before + 20, "v1 serves")
    assert load.failures == []
    assert dispatch.status == DispatchStatus.FAILED
    untouched()


def test_procs_that_stay_up_settle_and_only_then_the_old_ones_go(
    machine: Machine, served: Swarm, settings: Any
) -> None:
    settings.SETTLE_SECONDS = 2
    machine.build("v2")
    dispatch = succeeded(machine.dispatch(served, tag="v2"))
    assert [kind for kind, _ in steps(dispatch)][-4:] == ["route", "settle", "drain", "retire"]
    assert "settled after" in dispatch.steps.get(kind="settle").message
    assert len(machine.nodes()) == len(machine.procs()) == 2
    assert "backup" not in (machine.nginx.folder / "pools" / "shop.conf").read_text()


def test_rolling_back_again_goes_further_back(machine: Machine, served: Swarm) -> None:
    for tag in ("v2", "v3"):
        machine.build(tag)
        succeeded(machine.dispatch(served, tag=tag))
    for tag in ("v2", "v1"):
        succeeded(machine.drive(asking.rollback(served, user=None)))
        assert machine.nginx.get("shop").text == tag
    with pytest.raises(NothingToRollBackTo):
        asking.rollback(served, user=None)


def test_a_restarted_or_destroyed_proc_fails_no_request(machine: Machine, served: Swarm) -> None:
    from vr.server.models import Host

    host, (first, second) = Host.objects.get(), machine.procs()
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load:
        proc_action(host, first, "restart", user=None)
        assert len(machine.nodes()) == 2
        proc_action(host, second, "delete", user=None)
    assert load.failures == []
    assert [node.rpartition(":")[2] for node in machine.nodes()] == [first.rpartition("-")[2]]


def test_times_and_sizes_of_a_swarm_are_set_by_its_dispatch_and_stay(
    machine: Machine, served: Swarm
) -> None:
    file = machine.nginx.folder / "pools" / "shop.conf"
    served.read_timeout, served.body_size, served.header_size = 90, "10M", "128k"
    served.full_clean()
    served.save()
    succeeded(machine.dispatch(served))
    expected = ("read_timeout 90s;", "client_max_body_size 10M;", "proxy_buffer_size 128k;")
    assert all(one in file.read_text() for one in expected)
    succeeded(machine.drive(asking.scale(served, 1, user=None)))
    assert all(one in file.read_text() for one in expected)
    served.read_timeout, served.body_size, served.header_size = None, "", ""
    served.save()
    succeeded(machine.dispatch(served))
    assert not any(one in file.read_text() for one in expected)


def test_times_and_sizes_that_a_balancer_can_not_give_are_refused(
    machine: Machine, served: Swarm
) -> None:
    served.balancer, served.body_size = "other", "10M"
    served.save()
    with pytest.raises(CannotDispatch, match="'other' can't give a pool such"):
        asking.dispatch(served, user=None)


def test_workers_need_no_pool_and_no_port(machine: Machine) -> None:
    machine.build("v1")
    swarm = machine.swarm(proc_name="worker", pool="", balancer="", size=1)
    dispatch = succeeded(machine.dispatch(swarm))
    assert [kind for kind, _ in steps(dispatch)][-2:] == ["start", "uptest"]
    machine.build("v2")
    succeeded(machine.dispatch(swarm, tag="v2"))
    assert [name.split("-")[1] for name in machine.procs()] == ["v2"]


def test_scaling_up_down_and_to_nothing(machine: Machine, served: Swarm) -> None:
    succeeded(machine.drive(asking.scale(served, 3, user=None)))
    assert len(machine.nodes()) == len(machine.procs()) == 3
    succeeded(machine.drive(asking.scale(served, 1, user=None)))
    assert len(machine.nodes()) == len(machine.procs()) == 1
    assert machine.nginx.get("shop").text == "v1"
    succeeded(machine.drive(asking.scale(served, 0, user=None)))
    assert machine.nodes() == machine.procs() == machine.folders() == []
    assert not PortLease.objects.exists()
    assert machine.nginx.get("shop").status_code == 404


def test_a_rollback_brings_back_the_config_too(machine: Machine, served: Swarm) -> None:
    salt = Ingredient.objects.create(name="salt", env_yaml="SALT: sea")
    served.config_ingredients.add(salt)
    served.env_yaml, served.mem_limit = "COLOUR: blue", "256M"
    served.save()
    succeeded(machine.dispatch(served))
    served.env_yaml, served.mem_limit = "COLOUR: bad", "64M"
    served.save()
    served.config_ingredients.clear()
    machine.build("v2")
    succeeded(machine.dispatch(served, tag="v2"))

    dispatch = machine.drive(asking.rollback(served, user=None))

    succeeded(dispatch)
    assert dispatch.note == "The swarm's config is again as it was then."
    assert (served.env_yaml, served.mem_limit) == ("COLOUR: blue", "256M")
    assert list(served.config_ingredients.all()) == [salt]
    before = served.release
    succeeded(machine.dispatch(served))
    assert served.release == before, "swarming again deploys nothing else"


def test_what_a_rollback_cannot_bring_back_is_said(machine: Machine, served: Swarm) -> None:
    salt = Ingredient.objects.create(name="salt", env_yaml="SALT: sea")
    served.config_ingredients.add(salt)
    succeeded(machine.dispatch(served))
    machine.build("v2")
    succeeded(machine.dispatch(served, tag="v2"))
    salt.env_yaml = "SALT: rock"
    salt.save()
    assert (
        "ingredients have changed since" in machine.drive(asking.rollback(served, user=None)).note
    )
    Dispatch.objects.update(own_config="")
    served.env_yaml = "COLOUR: green"
    served.save()
    succeeded(machine.dispatch(served, tag="v2"))
    assert "stays as it is" in asking.rollback(served, user=None).note
    served.refresh_from_db()
    assert served.env_yaml == "COLOUR: green"


def test_rollback_goes_to_the_release_before(machine: Machine, served: Swarm) -> None:
    machine.build("v2")
    succeeded(machine.dispatch(served, tag="v2"))
    succeeded(machine.drive(asking.rollback(served, user=None)))
    assert machine.nginx.get("shop").text == "v1"
    assert served.tag == "v1"


def test_a_new_pool_name_leaves_no_pool_of_the_old_one(machine: Machine, served: Swarm) -> None:
    served.pool = "store"
    served.save()
    succeeded(machine.dispatch(served))
    assert machine.nginx.get("store").text == "v1"
    assert machine.nodes("shop") == []
    served.pool, served.balancer = "", ""
    served.save()
    succeeded(machine.dispatch(served))
    assert machine.nodes("store") == []
    assert served.routed_pools == []


def test_procs_are_the_swarms_whatever_it_is_called_now(machine: Machine, served: Swarm) -> None:
    served.config_name = "staging"
    served.save()
    succeeded(machine.dispatch(served))
    assert [name.split("-")[2] for name in machine.procs()] == ["staging"] * 2


def test_a_full_port_range_is_told_and_changes_nothing(
    machine: Machine, served: Swarm, untouched: Callable[[], None], settings: Any
) -> None:
    machine.build("v2")
    ports = sorted(PortLease.objects.values_list("port", flat=True))
    settings.PORT_RANGE = range(ports[0], ports[-1] + 1)
    dispatch = machine.dispatch(served, tag="v2")
    assert f"All ports from {ports[0]} to {ports[-1]} are taken on {HOST}" in dispatch.error
    untouched()


def test_a_port_that_a_foreign_program_has_is_passed_over(
    machine: Machine, served: Swarm, settings: Any
) -> None:
    settings.PORT_RANGE = port_range(10)
    port = settings.PORT_RANGE.start
    with socket.create_server((HOST, port)):
        succeeded(machine.drive(asking.scale(served, 4, user=None)))
    assert f"{HOST}:{port}" not in machine.nodes()
    assert len(machine.nodes()) == 4


def test_a_silent_host_is_not_an_empty_one(
    machine: Machine, served: Swarm, untouched: Callable[[], None], settings: Any
) -> None:
    machine.build("v2")
    url, settings.SUPERVISOR_URL = settings.SUPERVISOR_URL, "unix:///nowhere.sock"
    dispatch = machine.dispatch(served, tag="v2")
    settings.SUPERVISOR_URL = url
    assert "No active host of the squad local answers" in dispatch.error
    untouched()


def test_a_proc_that_ended_is_replaced_by_the_next_dispatch(
    machine: Machine, served: Swarm
) -> None:
    from vr.server.models import Host

    victim = machine.procs()[0]
    proc_action(Host.objects.get(), victim, "stop", user=None)
    succeeded(machine.dispatch(served))
    assert victim not in machine.procs()
    assert len(machine.nodes()) == len(machine.procs()) == 2


def test_a_second_dispatch_of_the_swarm_is_refused_while_one_is_open(
    machine: Machine, served: Swarm
) -> None:
    first = asking.dispatch(served, user=None)
    with pytest.raises(SwarmBusy, match=first.trace_id):
        asking.dispatch(served, user=None, tag="v9")
    served.refresh_from_db()
    assert served.tag == "v1"


def test_a_bug_in_a_step_fails_the_dispatch_instead_of_hanging_it(
    machine: Machine, served: Swarm, untouched: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    machine.build("v2")
    monkeypatch.setattr(hand.uptesting, "uptest", broken)
    dispatch = machine.dispatch(served, tag="v2")
    assert "bug" in dispatch.error and "oops" in dispatch.error
    untouched()


def test_old_procs_that_cannot_be_removed_do_not_take_the_new_ones_down(
    machine: Machine, served: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise VelociraptorError("the disk is stuck")

    machine.build("v2")
    with monkeypatch.context() as patch:
        patch.setattr(hand.retiring.deployment, "retire", refuse)
        dispatch = machine.dispatch(served, tag="v2")
    assert dispatch.status == DispatchStatus.FAILED and "stuck" in dispatch.error
    assert machine.nginx.get("shop").text == "v2"
    succeeded(machine.dispatch(served, tag="v2"))
    assert [name.split("-")[1] for name in machine.procs()] == ["v2"] * 2
