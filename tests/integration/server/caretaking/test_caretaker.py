"""Procs that went down are brought back for as long as they are wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from support.caretaking import Caretaker, Fragile
from support.silent_balancer import BACKEND
from support.swarm_machine import Machine
from support.waiting import until
from vr.server.balancers import balancer_named
from vr.server.caretaking import deeds, rounds
from vr.server.caretaking.mending import Deed
from vr.server.caretaking.rounds import NAME
from vr.server.jobs import leases
from vr.server.models import (
    Dispatch,
    DispatchStatus,
    Duty,
    Host,
    ProcStatus,
    Step,
    StepKind,
    Swarm,
)
from vr.server.models.duty import OPEN
from vr.server.swarming import asking
from vr.server.swarming.proc_actions import proc_action


@pytest.fixture
def fragile(machine: Machine, served: Swarm, tmp_path: Path) -> Fragile:
    return Fragile.make(machine, machine.procs()[0], tmp_path / "database")


def test_a_swarm_that_is_well_is_left_alone(caretaker: Caretaker, served: Swarm) -> None:
    pids = {info["name"]: info["pid"] for info in caretaker.machine.supervisor.all()}
    for _ in range(3):
        assert caretaker.go_round_later() == []
    assert {info["name"]: info["pid"] for info in caretaker.machine.supervisor.all()} == pids


def test_a_proc_that_lost_its_database_is_started_until_that_is_back(
    caretaker: Caretaker, fragile: Fragile
) -> None:
    caretaker.go_round()
    fragile.lose_database()
    # Not at once: a pause comes first.
    assert caretaker.go_round() == []
    for _ in range(3):
        caretaker.pass_time()
        assert caretaker.go_round() == ["start"]
        fragile.until_state("FATAL")
        assert caretaker.go_round() == []
    # The pauses grow by that.
    assert caretaker.health(fragile.proc).tries == 3
    [told] = caretaker.events("proc", "failed")
    assert fragile.proc in told.message and "was FATAL" in told.message
    assert "serving" in told.message  # the end of its log

    fragile.database.touch()
    caretaker.pass_time()
    assert caretaker.go_round() == ["start"]
    fragile.until_state("RUNNING")

    def is_well() -> bool:
        caretaker.go_round_later()
        return caretaker.health(fragile.proc).status == ProcStatus.WELL

    until(is_well, "the proc is well again", seconds=60)
    assert len(caretaker.events("proc", "failed")) == 1
    assert len(caretaker.events("proc", "success")) == 1
    assert caretaker.go_round_later() == []


def test_a_proc_that_is_down_leaves_its_pool_before_it_is_started(
    caretaker: Caretaker, fragile: Fragile, machine: Machine
) -> None:
    fragile.lose_database()
    assert fragile.node in machine.nodes()
    assert caretaker.go_round_later() == ["start"]
    assert len(machine.nodes()) == 1
    assert fragile.node not in machine.nodes()


def test_a_balancer_that_is_away_keeps_no_proc_down(
    caretaker: Caretaker, fragile: Fragile, settings: Any
) -> None:
    fragile.lose_database()
    fragile.database.touch()
    usual = dict(settings.BALANCERS)
    settings.BALANCERS = {**usual, "nginx": BACKEND}
    balancer_named.cache_clear()
    try:
        assert caretaker.go_round_later() == ["start"]
    finally:
        settings.BALANCERS = usual
        balancer_named.cache_clear()
    fragile.until_state("RUNNING")


def test_a_proc_that_its_user_stopped_stays_down(
    caretaker: Caretaker, fragile: Fragile, machine: Machine
) -> None:
    host = Host.objects.get()
    proc_action(host, machine.procs()[1], "stop", user=None)
    assert caretaker.go_round_later() == []
    # Supervisor doesn't tell one from another that it has given up.
    fragile.lose_database()
    proc_action(host, fragile.proc, "stop", user=None)
    for _ in range(3):
        assert caretaker.go_round_later() == []
    assert fragile.state == "FATAL"


def test_a_proc_that_its_user_stopped_and_started_is_looked_after_again(
    caretaker: Caretaker, fragile: Fragile
) -> None:
    host = Host.objects.get()
    proc_action(host, fragile.proc, "stop", user=None)
    caretaker.go_round()
    proc_action(host, fragile.proc, "start", user=None)
    fragile.lose_database()
    assert caretaker.go_round_later() == ["start"]


def test_procs_that_a_dispatch_deals_with_are_its_own(
    caretaker: Caretaker, fragile: Fragile, served: Swarm
) -> None:
    fragile.lose_database()
    caretaker.go_round()
    dispatch = asking.scale(served, 2, user=None)
    Step.objects.create(dispatch=dispatch, kind=StepKind.DEPLOY, started=timezone.now())
    assert caretaker.go_round_later() == []
    Dispatch.objects.filter(pk=dispatch.pk).update(status=DispatchStatus.FAILED)
    assert caretaker.go_round() == ["start"]


def test_a_proc_that_supervisor_has_forgotten_is_set_up_anew(
    caretaker: Caretaker, machine: Machine, served: Swarm
) -> None:
    proc = machine.procs()[0]
    machine.supervisor.stop(proc)
    until(lambda: machine.supervisor.remove(proc), "it is forgotten")
    (machine.root / "procs" / proc / "proc.conf").unlink()
    machine.supervisor.reload()
    assert proc not in machine.procs()
    assert caretaker.go_round_later() == ["set up"]
    assert proc in machine.procs()
    [told] = caretaker.events("proc", "failed")
    assert "does not know" in told.message


def test_procs_of_other_releases_are_not_brought_back(
    caretaker: Caretaker, fragile: Fragile, served: Swarm
) -> None:
    fragile.lose_database()
    served.release = None
    served.save()
    assert caretaker.go_round_later() == []


def test_a_host_that_does_not_answer_is_unknown(
    caretaker: Caretaker, fragile: Fragile, settings: Any
) -> None:
    fragile.lose_database()
    caretaker.go_round()
    usual, settings.SUPERVISOR_URL = settings.SUPERVISOR_URL, "unix:///nowhere.sock"
    before = caretaker.health(fragile.proc)
    assert caretaker.go_round_later() == []
    assert caretaker.health(fragile.proc).tries == before.tries
    settings.SUPERVISOR_URL = usual
    assert caretaker.go_round() == ["start"]


def test_only_one_worker_goes_round(caretaker: Caretaker, fragile: Fragile) -> None:
    caretaker.go_round()
    fragile.lose_database()
    with leases.hold(Duty, NAME, OPEN) as lease:
        assert lease is not None
        assert caretaker.go_round_later() == []
    assert caretaker.go_round_later() == ["start"]


def test_a_deed_that_was_decided_before_its_user_stopped_the_proc_is_not_done(
    caretaker: Caretaker, fragile: Fragile
) -> None:
    fragile.lose_database()
    caretaker.go_round()
    caretaker.pass_time()
    rounds.go_round()
    [(lease_id, deed)] = caretaker.asked
    proc_action(Host.objects.get(), fragile.proc, "stop", user=None)
    deeds.carry_out(lease_id, Deed(deed))
    assert fragile.state == "FATAL"
