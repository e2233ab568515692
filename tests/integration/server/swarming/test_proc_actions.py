"""What users do to single procs of a swarm that serves: nobody notices, and ports stay owned."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from support.load import Load
from support.silent_balancer import BACKEND
from support.swarm_machine import BROKEN, Machine
from support.waiting import until
from vr.errors import VelociraptorError
from vr.server.answers import InUse
from vr.server.balancers import balancer_named
from vr.server.models import Host, PortLease, StepKind, Swarm
from vr.server.records import changes
from vr.server.swarming import asking
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import SwarmBusy
from vr.server.swarming.proc_actions import proc_action
from vr.server.swarming.routed import give_back


@pytest.fixture
def host(served: Swarm) -> Host:
    return Host.objects.get()


@pytest.fixture
def silent(settings: Any, served: Swarm) -> Iterator[None]:
    """The balancer doesn't answer within this test's block."""
    usual = dict(settings.BALANCERS)
    settings.BALANCERS = {**usual, "nginx": BACKEND}
    balancer_named.cache_clear()
    yield
    settings.BALANCERS = usual
    balancer_named.cache_clear()


def test_all_procs_restarted_at_once_go_one_by_one_and_fail_no_request(
    machine: Machine, host: Host
) -> None:
    """Whoever asks, and however many do: the pool is never empty."""
    problems: list[BaseException] = []

    def restart(proc: str) -> None:
        try:
            proc_action(host, proc, "restart", user=None)
        except BaseException as error:
            problems.append(error)
        finally:
            connections.close_all()

    before = {info["name"]: info["pid"] for info in machine.supervisor.all()}
    threads = [threading.Thread(target=restart, args=(proc,)) for proc in before]
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []
    assert load.failures == []
    assert len(machine.nodes()) == 2
    after = {info["name"]: info["pid"] for info in machine.supervisor.all()}
    assert all(after[name] != before[name] for name in before)


def test_the_last_node_that_takes_connections_is_not_restarted_while_others_are_down(
    machine: Machine, host: Host, settings: Any
) -> None:
    first, second = machine.procs()
    # By itself, not by a user of ours: the pool still has it.
    machine.supervisor.stop(first)
    until(lambda: not machine.supervisor.by_name()[first]["pid"], "it has stopped")
    settings.START_SECONDS = 0.5
    with pytest.raises(VelociraptorError, match="is the only node of the pool shop"):
        proc_action(host, second, "restart", user=None)
    assert machine.nginx.get("shop").text == "v1"
    assert len(machine.nodes()) == 2


def test_the_only_proc_of_a_swarm_may_be_restarted(machine: Machine, served: Swarm) -> None:
    machine.drive(asking.scale(served, 1, user=None))
    (proc,) = machine.procs()
    proc_action(Host.objects.get(), proc, "restart", user=None)
    assert machine.nginx.get("shop").text == "v1"


def test_a_proc_that_was_stopped_and_is_started_goes_back_into_the_pool(
    machine: Machine, host: Host
) -> None:
    before, proc = machine.nodes(), machine.procs()[0]
    proc_action(host, proc, "stop", user=None)
    assert len(machine.nodes()) == 1
    proc_action(host, proc, "start", user=None)
    assert machine.nodes() == before


def test_a_started_proc_that_fails_its_uptests_stays_out_of_the_pool_and_it_is_said_why(
    machine: Machine, host: Host
) -> None:
    proc = machine.procs()[0]
    proc_action(host, proc, "stop", user=None)
    tests = list((machine.root).rglob("uptests/web/01_alive"))
    assert tests
    good = tests[0].read_text()
    for path in tests:
        path.write_text(BROKEN)
    try:
        with pytest.raises(VelociraptorError, match="nothing is routed to it") as refused:
            proc_action(host, proc, "start", user=None)
    finally:
        for path in tests:
            path.write_text(good)
    assert "checkout is broken" in refused.value.details
    assert len(machine.nodes()) == 1
    assert machine.supervisor.get(proc)["pid"], "it runs on, for people to look at"


def test_a_proc_of_another_release_than_the_serving_one_is_not_routed(
    machine: Machine, served: Swarm, host: Host
) -> None:
    proc = machine.procs()[0]
    proc_action(host, proc, "stop", user=None)
    served.release = None
    served.save()
    proc_action(host, proc, "start", user=None)
    assert len(machine.nodes()) == 1


@pytest.mark.parametrize("action", ["stop", "restart", "delete"])
def test_while_the_balancer_is_down_a_routed_proc_runs_on_and_keeps_its_port(
    machine: Machine, host: Host, silent: None, action: str
) -> None:
    proc = machine.procs()[0]
    with pytest.raises(VelociraptorError, match="does not tell what the pool 'shop' holds"):
        proc_action(host, proc, action, user=None)
    assert machine.supervisor.get(proc)["statename"] == "RUNNING"
    assert PortLease.objects.filter(proc=proc).exists()


def test_a_proc_that_stands_by_as_a_backup_leaves_its_pool_too(
    machine: Machine, host: Host
) -> None:
    """A dispatch that could not be taken back leaves such."""
    new, old = machine.nodes()
    balancer_named("nginx").set_nodes("shop", [new], backups=[old])
    proc = next(name for name in machine.procs() if name.endswith(old.rpartition(":")[2]))
    proc_action(host, proc, "delete", user=None)
    assert (machine.nodes(), balancer_named("nginx").get_backups("shop")) == ([new], [])
    assert not PortLease.objects.filter(proc=proc).exists()


def test_the_port_of_a_proc_that_is_gone_is_not_free_while_a_balancer_knows_it_or_may(
    machine: Machine, host: Host, settings: Any
) -> None:
    proc = machine.procs()[0]
    with pytest.raises(VelociraptorError, match="the pool shop of nginx still routes to it"):
        give_back(host.name, [proc])
    usual = settings.BALANCERS
    settings.BALANCERS = {**usual, "nginx": BACKEND}
    balancer_named.cache_clear()
    with pytest.raises(VelociraptorError, match="does not tell whether the pool shop still"):
        give_back(host.name, [proc])
    settings.BALANCERS = usual
    balancer_named.cache_clear()
    assert PortLease.objects.filter(proc=proc).exists()
    balancer_named("nginx").delete_pool("shop")
    give_back(host.name, [proc])
    assert not PortLease.objects.filter(proc=proc).exists()


def test_no_door_deletes_the_lease_of_a_port_that_is_routed(machine: Machine, host: Host) -> None:
    lease = PortLease.objects.all()[0]
    with pytest.raises(InUse, match="the pool shop of nginx still routes to it"):
        changes.delete(lease, user=None)
    assert PortLease.objects.filter(pk=lease.pk).exists()


@pytest.mark.parametrize("action", ["start", "stop", "restart", "delete"])
def test_procs_are_left_to_an_open_dispatch_that_deals_with_them(
    machine: Machine, served: Swarm, host: Host, action: str
) -> None:
    proc = machine.procs()[0]
    dispatch = asking.dispatch(served, user=None)
    journal = Journal(dispatch, check=lambda: None)
    with journal.step(StepKind.BUILD, "building"):
        pass
    proc_action(host, proc, "restart", user=None)
    assert len(machine.nodes()) == 2
    with journal.step(StepKind.DEPLOY, "deploying"):
        pass
    before = machine.supervisor.get(proc)["pid"]
    with pytest.raises(SwarmBusy, match=dispatch.trace_id):
        proc_action(host, proc, action, user=None)
    assert machine.supervisor.get(proc)["pid"] == before
