"""Single steps on values of their own: nobody plans, and nothing else is done."""

from __future__ import annotations

import socket
import sys

import pytest

from support.ports import free_port
from support.swarm_machine import HOST, Machine
from vr.hosts import proc_conf
from vr.hosts.connection import HostConnection
from vr.hosts.local import LocalConnection
from vr.hosts.supervisor import HostUnreachable, Supervisor
from vr.server.hosts import connect
from vr.server.jobs.leases import LeaseLost
from vr.server.jobs.sliced import finish
from vr.server.models import Dispatch, Host, PortLease, Release, StepKind, StepStatus, Swarm
from vr.server.procs import ports
from vr.server.swarming import pools
from vr.server.swarming.journal import Journal
from vr.server.swarming.plan_types import Milestone, Node
from vr.server.swarming.pools import Pool
from vr.server.swarming.problems import DispatchFailed, ForeignPorts
from vr.server.swarming.steps import deploying, retiring, routing, starting
from vr.server.swarming.wanted import HostProcs, WantedProc
from vr.specs.names import ProcName

LISTEN = "import http.server, sys; http.server.test(port=int(sys.argv[1]))"


@pytest.fixture
def swarm(machine: Machine) -> Swarm:
    return machine.swarm()


@pytest.fixture
def dispatch(swarm: Swarm) -> Dispatch:
    return Dispatch.objects.create(swarm=swarm, tag="v1", size=1)


@pytest.fixture
def journal(dispatch: Dispatch) -> Journal:
    return Journal(dispatch, check=lambda: None)


@pytest.fixture
def host(machine: Machine) -> HostConnection:
    return connect(HOST)


def wanted(host: HostConnection, port: int) -> WantedProc:
    name = ProcName("shop", "v1", "prod", "0a1b2c3d", "web", port)
    return WantedProc(Node(HOST, port), name, host)


def run(machine: Machine, proc: WantedProc, *argv: str) -> None:
    """Let Supervisor run `argv` as the proc."""
    paths = proc.host.root.proc(str(proc))
    paths.folder.mkdir()
    paths.supervisor_conf.write_text(proc_conf.render(str(proc), paths, argv))
    machine.supervisor.reload()
    machine.supervisor.add(str(proc))


def said(dispatch: Dispatch, kind: StepKind) -> tuple[str, str]:
    step = dispatch.steps.get(kind=kind)
    return step.status, step.message


def test_start_waits_until_every_port_accepts(
    machine: Machine, dispatch: Dispatch, journal: Journal, host: HostConnection
) -> None:
    procs = [wanted(host, free_port()), wanted(host, free_port())]
    for proc in procs:
        run(machine, proc, sys.executable, "-c", LISTEN, str(proc.node.port))
    finish(starting.wait_until_ready(procs, journal, listens=True))
    assert all(host.accepts(proc.node.port) for proc in procs)
    assert said(dispatch, StepKind.START) == ("done", "2 of 2 procs ready")
    finish(starting.wait_until_ready(procs, journal, listens=True, running=True))
    assert said(dispatch, StepKind.START) == ("done", "2 of 2 procs stayed up")


def test_start_blames_the_proc_that_died_with_its_log(
    machine: Machine, dispatch: Dispatch, journal: Journal, host: HostConnection
) -> None:
    good, bad = wanted(host, free_port()), wanted(host, free_port())
    run(machine, good, sys.executable, "-c", LISTEN, str(good.node.port))
    run(machine, bad, "/bin/sh", "-c", "echo no database; exit 3")
    with pytest.raises(DispatchFailed, match=f"{bad} on {HOST} died at start") as error:
        finish(starting.wait_until_ready([good, bad], journal, listens=True))
    assert "no database" in error.value.details
    assert said(dispatch, StepKind.START) == ("failed", error.value.message)


def test_deploy_names_ports_of_foreign_programs_and_leases_none(
    machine: Machine, dispatch: Dispatch, journal: Journal, host: HostConnection
) -> None:
    free = wanted(host, free_port())
    with socket.create_server((HOST, 0)) as server, pytest.raises(ForeignPorts) as error:
        taken = wanted(host, server.getsockname()[1])
        rows = {HOST: Host.objects.get()}
        finish(deploying.deploy(dispatch, Release(), [free, taken], rows, journal))
    assert error.value.nodes == [taken.node]
    assert not PortLease.objects.exists() and machine.folders() == []


def test_what_left_one_host_gives_back_its_ports_though_another_is_silent(
    machine: Machine, dispatch: Dispatch, journal: Journal, host: HostConnection
) -> None:
    proc, lost = wanted(host, free_port()), wanted(host, free_port())
    run(machine, proc, "/usr/bin/sleep", "1000")
    far = Host.objects.create(name="far", squad=machine.squad)
    ports.lease_to(dispatch, [(Host.objects.get(name=HOST), proc.node.port, str(proc))])
    ports.lease_to(dispatch, [(far, lost.node.port, str(lost))])
    nowhere = Supervisor("far", f"unix://{machine.root}/nowhere.sock")
    silent = LocalConnection("far", host.root, nowhere, machine.root)
    leaving = [HostProcs(silent, (str(lost),)), HostProcs(host, (str(proc),))]
    with pytest.raises(HostUnreachable, match="Supervisor of far does not answer"):
        finish(retiring.retire(leaving, journal))
    assert machine.procs() == machine.folders() == []
    assert [lease.host for lease in PortLease.objects.all()] == [far]
    assert said(dispatch, StepKind.RETIRE)[0] == "failed"


def test_a_routed_pool_is_remembered_until_it_is_cleaned(
    machine: Machine, swarm: Swarm, dispatch: Dispatch, journal: Journal
) -> None:
    nodes = [Node(HOST, 5001), Node(HOST, 5002)]
    routing.route(swarm, Pool("nginx", "old"), nodes, journal)
    assert machine.nodes("old") == [f"{HOST}:5001", f"{HOST}:5002"]
    swarm.refresh_from_db()
    assert pools.former(swarm) == [Pool("nginx", "old")]
    assert journal.milestones() == {Milestone.ROUTED}
    routing.unroute(swarm, journal)
    assert machine.nodes("old") == [] and pools.remembered(swarm) == []


def test_a_pool_that_another_swarm_uses_now_is_left_to_it(
    machine: Machine, swarm: Swarm, journal: Journal
) -> None:
    routing.route(swarm, Pool("nginx", "taken"), [Node(HOST, 5001)], journal)
    machine.swarm(config_name="qa", pool="taken")
    routing.unroute(swarm, journal)
    assert machine.nodes("taken") == [f"{HOST}:5001"]


def test_who_has_lost_the_dispatch_leaves_its_steps_to_the_successor(dispatch: Dispatch) -> None:
    is_lost = False

    def check() -> None:
        if is_lost:
            raise LeaseLost

    journal = Journal(dispatch, check)
    with pytest.raises(LeaseLost), journal.step(StepKind.DEPLOY, "deploying 2 procs") as step:
        is_lost = True
        step.say("2 procs deployed")
    row = dispatch.steps.get()
    assert (row.status, row.message) == (StepStatus.RUNNING, "deploying 2 procs")
    with pytest.raises(LeaseLost), journal.step(StepKind.DEPLOY, "again"):
        pytest.fail("the block of a step that may not begin")
