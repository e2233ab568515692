"""Pools that drifted from what their swarm serves are put right, and never emptied for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from support.caretaking import Caretaker
from support.load import Load
from support.swarm_machine import HOST, Machine
from support.waiting import until
from vr.server.caretaking.pool_care import PoolRounds, mend_pools
from vr.server.jobs import wake
from vr.server.models import Dispatch, DispatchStatus, Host, PortLease, ProcStatus, Swarm
from vr.server.swarming.pools import Pool

STRANGE = f"{HOST}:9"


def route(*nodes: str) -> None:
    Pool("nginx", "shop").set_nodes(nodes)


def test_what_is_not_the_swarms_leaves_its_pool(
    machine: Machine, caretaker: Caretaker, served: Swarm
) -> None:
    right = machine.nodes()
    route(*right, STRANGE)
    mend_pools("nginx", [served.pk])
    assert machine.nodes() == right
    (told,) = caretaker.events("route", "mend")
    assert STRANGE in told.message
    mend_pools("nginx", [served.pk])
    assert len(caretaker.events("route", "mend")) == 1, "nothing is told of a pool that is right"


def test_nodes_of_a_lost_host_leave_and_come_back_tested(
    machine: Machine, caretaker: Caretaker, served: Swarm
) -> None:
    here, away = machine.nodes()
    lost = Host.objects.create(
        name="h9", address="127.0.0.9", squad=machine.squad, silent_since=timezone.now()
    )
    lease = PortLease.objects.get(port=int(away.rpartition(":")[2]))
    PortLease.objects.filter(pk=lease.pk).update(host=lost)
    gone = f"h9:{lease.port}"
    route(here, gone)
    mend_pools("nginx", [served.pk])
    assert machine.nodes() == [here]
    assert "Nothing is heard of h9" in caretaker.events("route", "mend")[0].message

    PortLease.objects.filter(pk=lease.pk).update(host=Host.objects.get(name=HOST))
    mend_pools("nginx", [served.pk])
    assert machine.nodes() == [here], "not before it was tested"
    assert caretaker.health(lease.proc).status == ProcStatus.BACK
    until(lambda: "test" in caretaker.go_round_later(), "it is tested", seconds=30)
    assert machine.nodes() == [here, away]


def test_a_pool_whose_only_nodes_are_lost_stays(
    machine: Machine, caretaker: Caretaker, served: Swarm
) -> None:
    before = machine.nodes()
    Host.objects.update(silent_since=timezone.now())
    mend_pools("nginx", [served.pk])
    assert machine.nodes() == before
    assert caretaker.events("route", "mend") == []


def test_while_a_dispatch_is_open_its_pools_are_left_to_it(
    machine: Machine, caretaker: Caretaker, served: Swarm
) -> None:
    right = machine.nodes()
    route(*right, STRANGE)
    opened = Dispatch.objects.create(swarm=served, tag="v2", size=2, status=DispatchStatus.RUNNING)
    mend_pools("nginx", [served.pk])
    assert STRANGE in machine.nodes()
    opened.delete()
    with Load(machine.nginx.port, "shop.localhost", rate=100) as load:
        mend_pools("nginx", [served.pk])
        until(lambda: load.versions["v1"] > 20, "it serves")
    assert machine.nodes() == right


def test_all_pools_have_their_turn_and_those_of_hosts_that_changed_come_first(
    machine: Machine, served: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(wake, "now", lambda task, *args, **_: asked.append(args))
    others = [
        machine.swarm(config_name=f"c{number}", pool=f"pool{number}", release=served.release)
        for number in range(24)
    ]
    pks = [served.pk, *(one.pk for one in others)]
    rounds = PoolRounds()
    for _ in range(3):
        rounds.go()
    looked = [pk for _, ids in asked for pk in ids]
    assert (set(looked), len(looked)) == (set(pks), 30)
    asked.clear()
    Host.objects.update(silent_since=timezone.now())
    rounds.go()
    ((balancer, ids),) = asked
    assert balancer == "nginx" and served.pk in ids
