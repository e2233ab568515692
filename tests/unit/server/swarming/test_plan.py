"""The planner's decisions, case by case."""

from __future__ import annotations

from dataclasses import replace

from vr.hosts.readiness import ProcState
from vr.server.swarming.plan import plan
from vr.server.swarming.plan_types import (
    AwaitBuild,
    BuildState,
    Canary,
    ChooseBuild,
    Deploy,
    Drain,
    EndPreview,
    Fail,
    Finish,
    Hold,
    Intent,
    MakeRelease,
    Milestone,
    NextBatch,
    Node,
    Observed,
    Preview,
    Retire,
    Route,
    RouteBack,
    SeenHost,
    SeenProc,
    Settle,
    Start,
    Undo,
    Unroute,
    Uptest,
)

INTENT = Intent(size=2, routed=True, ports=range(5000, 5010), squad="the squad red")
TAKEN = frozenset({5000})
HOSTS = tuple(SeenHost(name, answers=True, taken_ports=TAKEN) for name in "ab")
READY = ProcState.READY


def proc(host: str, port: int, *, current: bool, state: ProcState = READY, new: bool = False):
    kind = "v2" if current else "v1"
    return SeenProc(host, f"shop-{kind}-prod-0123abcd-web-{port}", port, state, current, new)


OLD = (proc("a", 5000, current=False), proc("b", 5000, current=False))
NEW = (proc("a", 5001, current=True, new=True), proc("b", 5001, current=True, new=True))
NEW_NODES = (Node("a", 5001), Node("b", 5001))
OLD_NODES = frozenset({"a:5000", "b:5000"})
SERVED = Observed(release=True, hosts=HOSTS, procs=OLD, nodes=OLD_NODES)


def kinds(intent: Intent, seen: Observed) -> list[str]:
    return [type(step).__name__ for step in plan(intent, seen)]


def test_the_build_comes_first_and_is_awaited() -> None:
    assert plan(INTENT, Observed()) == [ChooseBuild()]
    assert plan(INTENT, Observed(build=BuildState.UNDERWAY)) == [AwaitBuild()]
    assert plan(INTENT, Observed(build=BuildState.DONE)) == [MakeRelease()]


def test_a_failed_build_fails_the_dispatch() -> None:
    [step] = plan(INTENT, Observed(build=BuildState.FAILED))
    assert isinstance(step, Fail)


def test_nothing_is_built_for_size_zero() -> None:
    seen = replace(SERVED, release=False)
    assert plan(replace(INTENT, size=0), seen) == [Route(()), Drain(), Retire(OLD), Finish(())]


def test_a_new_version_is_deployed_tested_routed_and_only_then_replaces_the_old_one() -> None:
    assert plan(INTENT, SERVED) == [
        Deploy(NEW_NODES),
        Start(NEW_NODES),
        Uptest(NEW_NODES),
        Route(NEW_NODES, ("a:5000", "b:5000")),
        Settle(NEW_NODES),
        Drain(NEW_NODES),
        Retire(OLD),
        Finish(NEW_NODES),
    ]


def test_without_settling_the_old_ones_go_at_once() -> None:
    steps = plan(replace(INTENT, settles=False), SERVED)
    assert steps[3:5] == [Route(NEW_NODES), Drain(NEW_NODES)]


def test_young_procs_are_looked_at_again_before_they_are_routed() -> None:
    young = tuple(replace(one, is_running=False) for one in NEW)
    seen = replace(SERVED, procs=OLD + young, tested=frozenset(NEW_NODES))
    assert plan(INTENT, seen)[0] == Start(NEW_NODES, running=True)
    assert plan(INTENT, replace(seen, procs=OLD + NEW))[0] == Route(NEW_NODES, ("a:5000", "b:5000"))


def test_a_death_while_settling_routes_back_and_undoes() -> None:
    dead = replace(NEW[0], state=ProcState.DEAD)
    seen = replace(
        SERVED,
        procs=(*OLD, dead, NEW[1]),
        tested=frozenset(NEW_NODES),
        nodes=frozenset(map(str, NEW_NODES)),
        backups=OLD_NODES,
        former=OLD_NODES,
        milestones=frozenset({Milestone.ROUTED}),
    )
    [fail] = plan(INTENT, seen)
    assert isinstance(fail, Fail) and fail.procs == (dead,)
    failed = replace(seen, failed=True)
    back = RouteBack(("a:5000", "b:5000"))
    assert plan(INTENT, failed) == [back, Undo((dead, NEW[1])), Finish()]
    assert plan(INTENT, replace(failed, nodes=None))[0] == back
    # A node that has gone meanwhile may be another proc's by now.
    assert plan(INTENT, replace(failed, procs=(OLD[0], dead)))[0] == RouteBack(("a:5000",))


def test_a_node_whose_port_a_new_proc_has_is_not_routed_back_to() -> None:
    former = frozenset({"a:5001", "a:5000"})
    seen = replace(SERVED, procs=(OLD[0], *NEW), nodes=None, former=former, failed=True)
    assert plan(INTENT, seen)[0] == RouteBack(("a:5000",))


def test_backups_leave_the_pool_though_nothing_is_left_to_retire() -> None:
    seen = replace(
        SERVED,
        procs=NEW,
        tested=frozenset(NEW_NODES),
        nodes=frozenset(map(str, NEW_NODES)),
        backups=frozenset({"c:5000"}),
        milestones=frozenset({Milestone.ROUTED, Milestone.COMMITTED}),
    )
    assert plan(INTENT, seen) == [Drain(NEW_NODES), Finish(NEW_NODES)]


def test_what_was_placed_but_not_deployed_is_deployed_on_its_own_port() -> None:
    places = [("a", 5007), ("b", 5008)]
    absent = [proc(*place, current=True, state=ProcState.ABSENT, new=True) for place in places]
    steps = plan(INTENT, replace(SERVED, procs=(*OLD, *absent)))
    assert steps[0] == Deploy(tuple(Node(*place) for place in places))


def test_procs_that_start_are_awaited() -> None:
    starting = (replace(NEW[0], state=ProcState.STARTING), NEW[1])
    [step, *_] = plan(INTENT, replace(SERVED, procs=OLD + starting))
    assert isinstance(step, Start) and (step.nodes, step.running) == (NEW_NODES, False)


def test_only_the_untested_are_tested() -> None:
    seen = replace(SERVED, procs=OLD + NEW, tested=frozenset({NEW[0].node}))
    assert plan(INTENT, seen)[0] == Uptest((NEW[1].node,))


def test_after_routing_come_drain_and_retire() -> None:
    seen = replace(
        SERVED,
        procs=OLD + NEW,
        tested=frozenset(NEW_NODES),
        nodes=frozenset(map(str, NEW_NODES)),
        milestones=frozenset({Milestone.ROUTED, Milestone.COMMITTED}),
    )
    assert kinds(INTENT, seen) == ["Drain", "Retire", "Finish"]
    drained = replace(seen, milestones=seen.milestones | {Milestone.DRAINED})
    assert kinds(INTENT, drained) == ["Retire", "Finish"]


def test_what_is_right_is_tested_and_routed_again() -> None:
    current = tuple(replace(one, is_new=False) for one in NEW)
    seen = replace(SERVED, procs=current, nodes=frozenset(map(str, NEW_NODES)))
    assert kinds(INTENT, seen) == ["Uptest", "Route", "Finish"]


def test_a_pool_that_somebody_changed_is_routed_again() -> None:
    seen = replace(
        SERVED,
        procs=NEW,
        tested=frozenset(NEW_NODES),
        nodes=frozenset({"a:5001", "intruder:80"}),
        milestones=frozenset({Milestone.ROUTED, Milestone.COMMITTED}),
    )
    assert plan(INTENT, seen)[0] == Route(NEW_NODES)


def test_shrinking_unroutes_before_it_retires_and_levels_the_load() -> None:
    places = [("a", 5001), ("a", 5002), ("a", 5003), ("b", 5001)]
    procs = tuple(proc(host, port, current=True) for host, port in places)
    steps = plan(INTENT, replace(SERVED, procs=procs))
    assert kinds(INTENT, replace(SERVED, procs=procs)) == [
        "Uptest", "Route", "Drain", "Retire", "Finish",
    ]  # fmt: skip
    assert steps[1] == Route((Node("a", 5001), Node("b", 5001)))


def test_procs_of_inactive_hosts_are_given_up_first() -> None:
    hosts = (SeenHost("a", answers=True, active=False), SeenHost("b", answers=True))
    procs = (proc("a", 5001, current=True), proc("b", 5001, current=True))
    steps = plan(replace(INTENT, size=1), replace(SERVED, hosts=hosts, procs=procs))
    assert Route((Node("b", 5001),)) in steps


def test_procs_of_drained_hosts_are_replaced_and_go_after_the_route() -> None:
    hosts = (SeenHost("a", answers=True, draining=True), SeenHost("b", answers=True))
    procs = (proc("a", 5001, current=True), proc("b", 5001, current=True))
    there = frozenset({"a:5001", "b:5001"})
    steps = plan(INTENT, replace(SERVED, hosts=hosts, procs=procs, nodes=there))
    wanted = (Node("b", 5000), Node("b", 5001))
    assert steps == [
        Deploy(wanted[:1]),
        Start(wanted),
        Uptest(wanted),
        Route(wanted, ("a:5001",)),
        Settle(wanted[:1]),
        Drain(wanted),
        Retire(procs[:1]),
        Finish(wanted),
    ]


def test_where_all_hosts_are_drained_nothing_goes() -> None:
    hosts = tuple(replace(host, draining=True) for host in HOSTS)
    current = tuple(replace(one, is_new=False) for one in NEW)
    [step] = plan(INTENT, replace(SERVED, hosts=hosts, procs=current))
    assert isinstance(step, Fail)
    assert step.reason == "All active hosts of the squad red are being drained: a, b."


def test_procs_that_start_are_given_up_before_those_that_are_ready() -> None:
    for ready, starting in ("ab", "ba"):
        stays = proc(ready, 5001, current=True)
        goes = proc(starting, 5001, current=True, state=ProcState.STARTING)
        seen = replace(SERVED, procs=(stays, goes))
        assert Retire((goes,)) in plan(replace(INTENT, size=1), seen)


def test_untested_procs_are_given_up_before_tested_ones() -> None:
    procs = (proc("a", 5001, current=True), proc("b", 5001, current=True))
    for stays, goes in (procs, procs[::-1]):
        seen = replace(SERVED, procs=procs, tested=frozenset({stays.node}))
        assert Retire((goes,)) in plan(replace(INTENT, size=1), seen)


def test_no_host_is_needed_where_nothing_is_missing() -> None:
    hosts = tuple(replace(host, active=False) for host in HOSTS)
    current = tuple(replace(one, is_new=False) for one in NEW)
    seen = replace(SERVED, hosts=hosts, procs=current, nodes=frozenset(map(str, NEW_NODES)))
    assert kinds(INTENT, seen) == ["Uptest", "Route", "Finish"]


def test_without_a_pool_nothing_is_routed_or_drained() -> None:
    intent = replace(INTENT, routed=False)
    seen = replace(SERVED, nodes=frozenset())
    assert kinds(intent, seen) == ["Deploy", "Start", "Uptest", "Settle", "Retire", "Finish"]


def test_former_pools_are_cleaned_before_their_procs_go() -> None:
    steps = plan(replace(INTENT, routed=False), replace(SERVED, has_former_pools=True))
    assert steps[-4:-1] == [Unroute(), Drain(NEW_NODES), Retire(OLD)]


def test_a_new_proc_that_died_fails_the_dispatch() -> None:
    dead = replace(NEW[0], state=ProcState.DEAD)
    [step] = plan(INTENT, replace(SERVED, procs=(*OLD, dead)))
    assert step == Fail(f"{dead.name} died before it was put to use.", "", (dead,))
    other = replace(NEW[1], state=ProcState.DEAD)
    [step] = plan(INTENT, replace(SERVED, procs=(*OLD, dead, other)))
    assert isinstance(step, Fail) and step.reason.startswith(f"{dead.name}, {other.name} died")
    assert step.hint == ""


def test_a_dead_proc_of_an_earlier_dispatch_is_replaced() -> None:
    dead = proc("a", 5001, current=True, state=ProcState.DEAD)
    steps = plan(replace(INTENT, size=1), replace(SERVED, procs=(dead,)))
    assert isinstance(steps[0], Deploy) and Retire((dead,)) in steps


def test_a_new_proc_that_dies_after_it_was_routed_is_replaced_too() -> None:
    dead = replace(NEW[0], state=ProcState.DEAD)
    seen = replace(
        SERVED,
        hosts=tuple(replace(host, taken_ports=frozenset({5000, 5001})) for host in HOSTS),
        procs=(dead, NEW[1], *OLD),
        tested=frozenset(NEW_NODES),
        nodes=frozenset(map(str, NEW_NODES)),
        milestones=frozenset({Milestone.ROUTED, Milestone.COMMITTED}),
    )
    assert kinds(INTENT, seen) == [
        "Deploy", "Start", "Uptest", "Route", "Drain", "Retire", "Finish",
    ]  # fmt: skip


def test_a_failure_removes_the_new_procs_only() -> None:
    seen = replace(SERVED, procs=OLD + NEW, failed=True)
    assert plan(INTENT, seen) == [Undo(NEW), Finish()]


def test_a_failure_never_removes_what_is_routed() -> None:
    seen = replace(SERVED, procs=OLD + NEW, nodes=frozenset({"a:5001"}), failed=True)
    assert plan(INTENT, seen) == [Undo((NEW[1],)), Finish()]


def test_a_failure_before_the_route_is_undone_though_the_balancer_is_silent() -> None:
    seen = replace(SERVED, procs=OLD + NEW, nodes=None, failed=True)
    assert plan(INTENT, seen) == [Undo(NEW), Finish()]


def test_a_failure_after_the_old_ones_began_to_go_removes_nothing() -> None:
    seen = replace(SERVED, procs=NEW, failed=True, milestones=frozenset({Milestone.COMMITTED}))
    assert plan(replace(INTENT, routed=False), replace(seen, nodes=frozenset())) == [Finish()]


def test_without_a_host_that_answers_the_dispatch_fails() -> None:
    silent = (SeenHost("a", answers=False, problem="no route"),)
    [step] = plan(INTENT, replace(SERVED, hosts=silent, procs=()))
    assert step == Fail(
        "No active host of the squad red answers: a (no route).",
        "Look whether Supervisor runs there, or add another host.",
    )


def test_a_silent_host_gets_no_procs() -> None:
    hosts = (SeenHost("a", answers=False), SeenHost("b", answers=True, total=50))
    steps = plan(INTENT, replace(SERVED, hosts=hosts, procs=()))
    assert steps[0] == Deploy((Node("b", 5000), Node("b", 5001)))


def test_silent_hosts_are_told_at_the_end() -> None:
    hosts = (SeenHost("a", answers=False), *HOSTS[1:])
    [*_, end] = plan(replace(INTENT, size=1), replace(SERVED, hosts=hosts, procs=()))
    assert isinstance(end, Finish) and end.silent_hosts == ("a",)


HELD = replace(INTENT, holds=True)
PROVEN = replace(SERVED, procs=OLD + NEW, tested=frozenset(NEW_NODES))
SHOWN = replace(PROVEN, has_preview=True, preview=frozenset(map(str, NEW_NODES)))


def test_what_is_to_be_held_is_tested_shown_and_left_alone() -> None:
    assert kinds(HELD, SERVED) == ["Deploy", "Start", "Uptest", "Preview", "Hold"]
    assert plan(HELD, PROVEN) == [Preview(NEW_NODES), Hold(NEW_NODES)]
    assert plan(HELD, SHOWN) == [Hold(NEW_NODES)]
    # Nobody knows what is shown while the balancer is silent.
    assert plan(HELD, replace(SHOWN, preview=None))[0] == Preview(NEW_NODES)
    assert plan(replace(HELD, routed=False), PROVEN) == [Hold(NEW_NODES)]


def test_the_preview_ends_once_it_is_routed_and_before_a_failure_s_procs_go() -> None:
    route = Route(NEW_NODES, ("a:5000", "b:5000"))
    assert plan(INTENT, SHOWN)[:3] == [route, EndPreview(), Settle(NEW_NODES)]
    assert plan(INTENT, replace(SHOWN, failed=True)) == [EndPreview(), Undo(NEW), Finish()]


def test_what_was_held_too_long_fails() -> None:
    [step] = plan(HELD, replace(SHOWN, waited_too_long=True))
    assert isinstance(step, Fail) and step.reason.startswith("Nobody has routed it")
    assert plan(INTENT, replace(SHOWN, waited_too_long=True))[0] != step


CANARY = replace(INTENT, canary=1)
FIRST = NEW_NODES[:1]
BESIDE = (Node("a", 5000), *FIRST, Node("b", 5000))
TRIED = replace(
    SERVED,
    procs=(*OLD, NEW[0]),
    nodes=frozenset(map(str, BESIDE)),
    former=OLD_NODES,
    tested=frozenset(FIRST),
    milestones=frozenset({Milestone.ROUTED}),
)


def test_a_canary_is_routed_beside_all_old_ones_and_the_rest_follows() -> None:
    assert plan(CANARY, SERVED) == [
        Deploy(FIRST), Start(FIRST), Uptest(FIRST), Route(BESIDE), Canary(FIRST),
    ]  # fmt: skip
    assert plan(CANARY, TRIED) == [Canary(FIRST)]
    assert plan(CANARY, replace(TRIED, tested=frozenset())) == [Uptest(FIRST), Canary(FIRST)]
    done = replace(TRIED, milestones=TRIED.milestones | {Milestone.CANARIED})
    steps = plan(CANARY, done)
    assert isinstance(steps[0], Deploy)
    assert Retire(OLD) in steps and isinstance(steps[-1], Finish)


def test_a_canary_that_dies_brings_back_what_was_routed() -> None:
    dead = replace(TRIED, procs=(*OLD, replace(NEW[0], state=ProcState.DEAD)))
    assert isinstance(plan(CANARY, dead)[0], Fail)
    back = plan(CANARY, replace(dead, failed=True))
    assert back[0] == RouteBack(("a:5000", "b:5000"))


def test_there_is_no_canary_where_nothing_serves_or_nothing_is_new() -> None:
    assert "Canary" not in kinds(CANARY, replace(SERVED, procs=(), nodes=frozenset()))
    current = tuple(replace(one, is_new=False) for one in NEW)
    there = replace(SERVED, procs=current, nodes=frozenset(map(str, NEW_NODES)))
    assert "Canary" not in kinds(CANARY, there)


def test_nothing_is_tried_beside_what_a_silent_balancer_may_hold() -> None:
    for intent in (CANARY, replace(INTENT, batch=1)):
        seen = replace(SERVED, procs=(*OLD, NEW[0]), tested=frozenset(FIRST), nodes=None)
        [step] = plan(intent, seen)
        assert isinstance(step, Fail) and step.reason.startswith("The balancer does not tell")


def test_a_batch_brings_in_as_many_as_it_takes_out() -> None:
    intent = replace(INTENT, batch=1)
    routed = (Node("a", 5000), Node("a", 5001))
    assert plan(intent, SERVED) == [
        Deploy(FIRST),
        Start(FIRST),
        Uptest(FIRST),
        Route(routed, ("b:5000",)),
        Settle(FIRST),
        Drain(routed),
        Retire(OLD[1:]),
        NextBatch(1),
    ]


def test_the_last_batch_finishes() -> None:
    settled = replace(NEW[0], is_new=False)
    seen = replace(
        SERVED,
        procs=(OLD[0], settled),
        nodes=frozenset({"a:5000", "a:5001"}),
        tested=frozenset(FIRST),
        batched=1,
    )
    steps = plan(replace(INTENT, batch=1), seen)
    assert Retire(OLD[:1]) in steps and isinstance(steps[-1], Finish)


def test_what_a_silent_host_may_serve_stays_for_as_long_as_old_ones_do() -> None:
    hosts = (HOSTS[0], replace(HOSTS[1], answers=False))
    seen = replace(SERVED, hosts=hosts, procs=OLD[:1])
    for intent in (CANARY, replace(INTENT, size=3, batch=1)):
        [route] = [step for step in plan(intent, seen) if isinstance(step, Route)]
        assert Node("b", 5000) in route.nodes


def test_a_pool_that_was_changed_is_left_at_once() -> None:
    seen = replace(SERVED, nodes=frozenset(), has_former_pools=True)
    for intent in (CANARY, replace(INTENT, batch=1)):
        assert "NextBatch" not in kinds(intent, seen) and "Canary" not in kinds(intent, seen)
