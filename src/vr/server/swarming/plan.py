"""The planner: from what is wanted and what is seen to what to do. Pure.

Its invariants, which the property tests hold it to:
- a node is routed only after its uptests passed in this very dispatch, while it runs;
- nothing is retired before the wanted procs are ready, tested, with a pool routed, and settled;
- a failure before that routes back, removes what this dispatch placed and touches nothing else;
- a host that doesn't answer is neither empty nor a place for procs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from vr.hosts.readiness import ProcState
from vr.server.swarming.placing import NoRoom, place
from vr.server.swarming.plan_types import (
    AwaitBuild,
    BuildState,
    ChooseBuild,
    Deploy,
    Drain,
    Fail,
    Finish,
    Intent,
    MakeRelease,
    Milestone,
    Node,
    Observed,
    PlannedStep,
    Retire,
    Route,
    RouteBack,
    SeenProc,
    Settle,
    Start,
    Undo,
    Unroute,
    Uptest,
)


def plan(intent: Intent, seen: Observed) -> list[PlannedStep]:
    """The steps that lead from `seen` to `intent`, first to last.

    Whoever carries them out does the first one and plans again: the others are a forecast. The
    last one of a complete forecast is Finish.
    """
    if seen.failed:
        return _back_out(seen)
    if intent.size and not seen.release:
        return _towards_release(seen)
    kept = _kept(intent, seen)
    if dead := _died_before_commit(seen):
        names = ", ".join(proc.name for proc in dead)
        return [Fail(f"{names} died before it was put to use.", procs=dead)]
    try:
        added = _added(intent, seen, kept)
    except NoRoom as no_room:
        return [Fail(no_room.reason, no_room.hint)]
    return _towards_serving(intent, seen, kept, added)


def _towards_release(seen: Observed) -> list[PlannedStep]:
    if seen.build is BuildState.NEEDED:
        return [ChooseBuild()]
    if seen.build is BuildState.UNDERWAY:
        return [AwaitBuild()]
    if seen.build is BuildState.FAILED:
        return [Fail("The build failed.")]
    return [MakeRelease()]


def _towards_serving(
    intent: Intent, seen: Observed, kept: tuple[SeenProc, ...], added: tuple[Node, ...]
) -> list[PlannedStep]:
    steps: list[PlannedStep] = []
    unfinished = tuple(p.node for p in kept if p.state is ProcState.ABSENT)
    wanted = tuple(sorted([*(proc.node for proc in kept), *added]))
    if added or unfinished:
        steps.append(Deploy(tuple(sorted([*added, *unfinished]))))
    if added or any(proc.state is not ProcState.READY for proc in kept):
        steps.append(Start(wanted))
    elif all(proc.node in seen.tested for proc in kept) and _still_young(kept):
        # Looked at again, after the uptests and before anything is routed.
        steps.append(Start(wanted, running=True))
    if untested := tuple(node for node in wanted if node not in seen.tested):
        steps.append(Uptest(untested))
    settling = _settling(intent, seen, kept, added)
    routing: list[PlannedStep] = []
    if intent.routed and _is_misrouted(seen, wanted):
        routing.append(Route(wanted, _backups(seen, wanted) if settling else ()))
    steps += routing
    if settling:
        steps.append(Settle(settling))
    if seen.has_former_pools:
        routing.append(Unroute())
        steps.append(Unroute())
    old = tuple(proc for proc in seen.procs if proc not in kept)
    if seen.backups or (old and _is_undrained(seen, routing)):
        steps.append(Drain(wanted))
    if old:
        steps.append(Retire(_sorted(old)))
    steps.append(Finish(wanted, _silent(seen)))
    return steps


def _back_out(seen: Observed) -> list[PlannedStep]:
    """After a failure: route what was routed before, and remove what is new."""
    steps: list[PlannedStep] = []
    if Milestone.COMMITTED not in seen.milestones:
        if seen.former is not None:
            back = _still_there(seen, seen.former)
            if seen.nodes != back or seen.backups:
                steps.append(RouteBack(tuple(sorted(back))))
        # What somebody else routed stays.
        stays = (seen.nodes or frozenset()) if seen.former is None else frozenset()
        new = tuple(p for p in seen.procs if p.is_new and str(p.node) not in stays)
        if new:
            steps.append(Undo(_sorted(new)))
    steps.append(Finish(silent_hosts=_silent(seen)))
    return steps


def _settling(
    intent: Intent, seen: Observed, kept: tuple[SeenProc, ...], added: tuple[Node, ...]
) -> tuple[Node, ...]:
    """The new procs that still have to show that they stay up."""
    if not intent.settles or Milestone.COMMITTED in seen.milestones:
        return ()
    return tuple(sorted([*(proc.node for proc in kept if proc.is_new), *added]))


def _still_young(procs: Iterable[SeenProc]) -> bool:
    return any(proc.is_new and not proc.is_running for proc in procs)


def _backups(seen: Observed, wanted: Iterable[Node]) -> tuple[str, ...]:
    """What was routed before and stands by for the new procs."""
    routed = seen.former if seen.former is not None else (seen.nodes or frozenset()) | seen.backups
    return tuple(sorted(_still_there(seen, routed) - {str(node) for node in wanted}))


def _still_there(seen: Observed, nodes: frozenset[str]) -> frozenset[str]:
    """Those of the nodes that are not known to have gone: the port may be another proc's now."""
    answering = {host.name for host in seen.hosts if host.answers}
    there = {str(proc.node) for proc in seen.procs if not proc.is_new}
    return frozenset(
        node for node in nodes if node in there or node.rpartition(":")[0] not in answering
    )


def _is_undrained(seen: Observed, routing: list[PlannedStep]) -> bool:
    if routing:
        return True
    return Milestone.ROUTED in seen.milestones and Milestone.DRAINED not in seen.milestones


def _kept(intent: Intent, seen: Observed) -> tuple[SeenProc, ...]:
    """Which current procs stay, at most as many as are wanted; of hosts that are drained, none.

    Given up first: procs of inactive hosts, then those that aren't ready or tested, then those
    of the hosts with the most (so that shrinking levels the load).
    """
    active = {host.name for host in seen.hosts if host.active}
    draining = {host.name for host in seen.hosts if host.draining}
    stay = [
        proc
        for proc in seen.procs
        if proc.is_current and _can_serve(proc) and proc.host not in draining
    ]
    while len(stay) > intent.size:
        crowd = Counter(proc.host for proc in stay)
        stay.remove(
            max(
                stay,
                key=lambda proc: (
                    proc.host not in active,
                    proc.state is not ProcState.READY,
                    proc.node not in seen.tested,
                    crowd[proc.host],
                    proc.node,
                ),
            )
        )
    return _sorted(stay)


def _can_serve(proc: SeenProc) -> bool:
    if proc.state is ProcState.ABSENT:
        # Of another dispatch it is debris; of this one it waits for its deploy.
        return proc.is_new
    return proc.state is not ProcState.DEAD


def _added(intent: Intent, seen: Observed, kept: tuple[SeenProc, ...]) -> tuple[Node, ...]:
    missing = intent.size - len(kept)
    if missing <= 0:
        return ()
    return place(
        missing,
        seen.hosts,
        Counter(proc.host for proc in kept),
        intent.ports,
        intent.first_port,
        intent.squad,
    )


def _died_before_commit(seen: Observed) -> tuple[SeenProc, ...]:
    """New procs that died at start. Later deaths are mended by placing others."""
    if Milestone.COMMITTED in seen.milestones:
        return ()
    return tuple(p for p in seen.procs if p.is_new and p.is_current and p.state is ProcState.DEAD)


def _is_misrouted(seen: Observed, wanted: Iterable[Node]) -> bool:
    if Milestone.ROUTED not in seen.milestones or seen.nodes is None:
        return True
    return set(seen.nodes) != {str(node) for node in wanted}


def _silent(seen: Observed) -> tuple[str, ...]:
    return tuple(host.name for host in seen.hosts if not host.answers)


def _sorted(procs: Iterable[SeenProc]) -> tuple[SeenProc, ...]:
    return tuple(sorted(procs, key=lambda proc: (proc.host, proc.name)))
