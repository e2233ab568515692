"""The planner: from what is wanted and what is seen to what to do. Pure.

Its invariants, which the property tests hold it to:
- a node is routed only after its uptests passed in this very dispatch, while it runs, unless it
  was routed before;
- nothing is retired before the wanted procs are ready, tested, with a pool routed, and settled;
- a failure before that routes back, removes what this dispatch placed and touches nothing else;
- of batches both hold for each: it retires no more than it brought in, and undoes itself alone;
- what is held, and what is tried beside the old procs, takes nothing from them;
- a host that doesn't answer is neither empty nor a place for procs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from vr.hosts.readiness import ProcState
from vr.server.swarming.lineup import Lineup, in_order, lineup
from vr.server.swarming.placing import NoRoom, place
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
    PlannedStep,
    Preview,
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

    Whoever carries them out does the first one and plans again: the others are a forecast, which
    ends with Finish, or where something is to be waited for or is to come out of it.
    """
    if seen.failed:
        return _back_out(seen)
    if intent.size and not seen.release:
        return _towards_release(seen)
    if dead := _died_before_commit(seen):
        names = ", ".join(proc.name for proc in dead)
        return [Fail(f"{names} died before it was put to use.", procs=dead)]
    if intent.holds and seen.waited_too_long:
        return [Fail("Nobody has routed it for as long as a version may be held.")]
    stage = lineup(intent, seen)
    try:
        added = _added(intent, seen, stage)
    except NoRoom as no_room:
        return [Fail(no_room.reason, no_room.hint)]
    wanted = tuple(sorted([*(proc.node for proc in stage.kept), *added]))
    steps = _towards_proof(seen, stage.kept, added, wanted)
    if intent.holds:
        return [*steps, *_held(intent, seen, wanted)]
    return [*steps, *_towards_serving(intent, seen, stage, added, wanted)]


def _towards_release(seen: Observed) -> list[PlannedStep]:
    if seen.build is BuildState.NEEDED:
        return [ChooseBuild()]
    if seen.build is BuildState.UNDERWAY:
        return [AwaitBuild()]
    if seen.build is BuildState.FAILED:
        return [Fail("The build failed.")]
    return [MakeRelease()]


def _towards_proof(
    seen: Observed,
    kept: Sequence[SeenProc],
    added: Sequence[Node],
    wanted: tuple[Node, ...],
) -> list[PlannedStep]:
    """Until the wanted procs are there and tested."""
    steps: list[PlannedStep] = []
    unfinished = tuple(p.node for p in kept if p.state is ProcState.ABSENT)
    if added or unfinished:
        steps.append(Deploy(tuple(sorted([*added, *unfinished]))))
    if added or any(proc.state is not ProcState.READY for proc in kept):
        steps.append(Start(wanted))
    elif all(proc.node in seen.tested for proc in kept) and _still_young(kept):
        # Looked at again, after the uptests and before anything is routed.
        steps.append(Start(wanted, running=True))
    if untested := tuple(node for node in wanted if node not in seen.tested):
        steps.append(Uptest(untested))
    return steps


def _held(intent: Intent, seen: Observed, wanted: tuple[Node, ...]) -> list[PlannedStep]:
    is_shown = seen.has_preview and seen.preview == frozenset(map(str, wanted))
    if intent.routed and wanted and not is_shown:
        return [Preview(wanted), Hold(wanted)]
    return [Hold(wanted)]


def _towards_serving(
    intent: Intent,
    seen: Observed,
    stage: Lineup,
    added: Sequence[Node],
    wanted: tuple[Node, ...],
) -> list[PlannedStep]:
    """From tested procs to those that serve, and out with the others."""
    if intent.routed and seen.nodes is None and not stage.is_last:
        return [
            Fail(
                "The balancer does not tell what the pool holds, so nobody knows what is to serve "
                "on beside the new procs.",
                "Look whether the balancer can be reached, then try again.",
            )
        ]
    steps: list[PlannedStep] = []
    serving = tuple(sorted({*wanted, *stage.staying}))
    new = tuple(sorted([*(proc.node for proc in stage.kept if proc.is_new), *added]))
    if stage.is_canary:
        # Nothing is decided yet, so nobody stands by.
        is_routed = not intent.routed or not _is_misrouted(seen, serving)
        route = () if is_routed else (Route(serving),)
        return [*route, *_end_preview(seen), Canary(new)]
    settling = new if intent.settles and Milestone.COMMITTED not in seen.milestones else ()
    routing: list[PlannedStep] = []
    if intent.routed and _is_misrouted(seen, serving):
        routing.append(Route(serving, _backups(seen, serving) if settling else ()))
    steps += [*routing, *_end_preview(seen)]
    if settling:
        steps.append(Settle(settling))
    if seen.has_former_pools:
        routing.append(Unroute())
        steps.append(Unroute())
    if seen.backups or (stage.leaving and _is_undrained(seen, routing)):
        steps.append(Drain(serving))
    if stage.leaving:
        steps.append(Retire(stage.leaving))
    steps.append(Finish(wanted, _silent(seen)) if stage.is_last else NextBatch(stage.target))
    return steps


def _end_preview(seen: Observed) -> list[PlannedStep]:
    return [EndPreview()] if seen.has_preview else []


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
        steps += _end_preview(seen)
        if new:
            steps.append(Undo(in_order(new)))
    steps.append(Finish(silent_hosts=_silent(seen)))
    return steps


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


def _added(intent: Intent, seen: Observed, stage: Lineup) -> tuple[Node, ...]:
    missing = stage.target - len(stage.kept)
    if missing <= 0:
        return ()
    return place(
        missing,
        seen.hosts,
        Counter(proc.host for proc in stage.kept),
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
