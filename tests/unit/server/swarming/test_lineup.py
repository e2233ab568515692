"""Who is to serve in each stage of a dispatch, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vr.hosts.readiness import ProcState
from vr.server.swarming.lineup import lineup
from vr.server.swarming.plan_types import Intent, Milestone, Node, Observed, SeenHost, SeenProc

INTENT = Intent(size=2, routed=True, ports=range(5000, 5100))
A, B = (SeenHost(name, answers=True) for name in "ab")


def proc(host: str, port: int, *, current: bool = False, new: bool = False) -> SeenProc:
    return SeenProc(host, f"shop-web-{port}", port, ProcState.READY, current, new)


def seen(*procs: SeenProc, **facts: Any) -> Observed:
    nodes = frozenset(str(one.node) for one in procs)
    return Observed(**{"release": True, "hosts": (A, B), "procs": procs, "nodes": nodes, **facts})


def test_where_the_new_version_serves_already_there_is_no_canary() -> None:
    procs = (proc("a", 5001, current=True), proc("b", 5001, current=True), proc("a", 5000))
    assert not lineup(replace(INTENT, canary=1), seen(*procs)).is_canary


@pytest.mark.parametrize(
    ("milestones", "batched", "target"),
    [
        ({Milestone.CANARIED}, 0, 2),  # the canaries are of the first batch, were one lost since
        ({Milestone.CANARIED}, 2, 3),  # and of no other
        ({Milestone.COMMITTED}, 0, 1),  # nobody is a canary where none was tried
    ],
)
def test_the_first_batch_has_the_canaries(
    milestones: set[Milestone], batched: int, target: int
) -> None:
    intent = replace(INTENT, size=5, canary=2, batch=1)
    found = lineup(intent, seen(proc("a", 5000), milestones=frozenset(milestones), batched=batched))
    assert (found.target, found.is_canary) == (target, False)


@pytest.mark.parametrize("routed", [True, False])
@pytest.mark.parametrize("first", [replace(A, active=False), replace(A, draining=True)])
def test_old_procs_of_hosts_that_are_to_get_none_go_first(first: SeenHost, routed: bool) -> None:
    intent = replace(INTENT, routed=routed, batch=1)
    found = lineup(intent, seen(proc("a", 5000), proc("b", 5000), hosts=(first, B)))
    assert found.staying == (Node("b", 5000),)


def test_what_silent_hosts_may_serve_goes_before_what_is_seen_to_serve() -> None:
    nodes = frozenset({"a:5000", "b:5000"})
    hosts = (replace(A, answers=False), B)
    found = lineup(replace(INTENT, batch=1), seen(proc("b", 5000), hosts=hosts, nodes=nodes))
    assert found.staying == (Node("b", 5000),)


def test_what_this_dispatch_routed_on_a_host_that_is_silent_now_is_no_old_node() -> None:
    found = lineup(
        replace(INTENT, size=3, batch=1),
        seen(
            proc("b", 5000),
            hosts=(replace(A, answers=False), B),
            nodes=frozenset({"a:5001", "b:5000"}),
            former=frozenset({"b:5000"}),
        ),
    )
    assert found.staying == (Node("b", 5000),)
