"""What a planned step is handed: each knows nothing of the engine, nor of the other steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.db import transaction

from vr.hosts.connection import HostConnection
from vr.server.events.kinds import Kind
from vr.server.jobs.sliced import Sliced
from vr.server.models import StepKind
from vr.server.procs import ports
from vr.server.swarming import own_config, plan_types
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.goal import Goal
from vr.server.swarming.journal import Journal
from vr.server.swarming.plan_types import Node, SeenProc
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.steps import (
    batching,
    building,
    canarying,
    deploying,
    holding,
    releasing,
    retiring,
    routing,
    settling,
    starting,
    uptesting,
)
from vr.server.swarming.wanted import HostProcs, WantedProc


class Hand:
    """Carries out the steps of one dispatch. `reach` gives the connection to a host by its name,
    `check` raises once a step that waits is to be given up."""

    def __init__(
        self,
        row: DispatchRow,
        goal: Goal,
        journal: Journal,
        reach: Callable[[str], HostConnection],
        check: Callable[[], None],
    ) -> None:
        self._row = row
        self._goal = goal
        self._journal = journal
        self._reach = reach
        self._check_wanted = check

    def carry_out(self, step: plan_types.PlannedStep) -> Sliced[None]:
        """Do the step; raises what it raises."""
        row, goal, journal = self._row, self._goal, self._journal
        match step:
            case plan_types.ChooseBuild():
                app, tag = goal.swarm.app, goal.tag
                commit = yield from building.look_up(
                    app, tag, self._note_earlier_build, self._check_wanted
                )
                with transaction.atomic():
                    row.choose_build(building.choose(app, tag, commit))
            case plan_types.MakeRelease():
                building.finish(row.build, journal)
                made = releasing.make(goal.swarm, row.build, journal)
                row.choose_release(made, own_config.snapshot(goal.swarm))
            case plan_types.Deploy(nodes):
                procs = self._wanted(nodes)
                yield from deploying.deploy(row.dispatch, row.release, procs, goal.squad, journal)
            case plan_types.Start(nodes, running):
                yield from starting.wait_until_ready(
                    self._wanted(nodes),
                    journal,
                    listens=goal.listens,
                    running=running,
                    note=lambda spawns: ports.note_spawns(row.dispatch, spawns),
                )
            case plan_types.Uptest(nodes):
                procs = self._wanted(nodes)
                yield from uptesting.uptest(
                    row.dispatch, row.release, procs, journal, check=goal.check
                )
            case plan_types.Preview(nodes):
                holding.preview(goal.swarm, nodes)
            case plan_types.EndPreview():
                holding.end_preview(goal.swarm)
            case plan_types.Canary(nodes):
                procs, seconds = self._wanted(nodes), goal.canary_seconds
                yield from canarying.try_out(row, procs, seconds, journal, listens=goal.listens)
            case plan_types.NextBatch(batched):
                batching.end_batch(row, batched, journal)
            case plan_types.Route(nodes, backups):
                assert goal.pool is not None
                remember = row.note_routed_before
                routing.route(
                    goal.swarm, goal.pool, nodes, journal, backups=backups, remember=remember
                )
            case plan_types.Settle(nodes):
                procs, seconds = self._wanted(nodes), goal.settle_seconds
                yield from settling.settle(
                    row.dispatch, procs, seconds, journal, listens=goal.listens
                )
            case plan_types.RouteBack(before):
                assert goal.pool is not None
                routing.route_back(goal.pool, before, journal)
            case plan_types.Unroute():
                routing.unroute(goal.swarm, journal)
            case plan_types.Drain(nodes):
                yield from routing.drain(goal.pool, nodes, journal)
            case plan_types.Retire(procs):
                yield from retiring.retire(self._leaving(procs), journal)
            case plan_types.Undo(procs):
                drained = None if row.dispatch.routed_before is None else goal.pool
                yield from retiring.undo(self._leaving(procs), journal, drained=drained)
            case plan_types.Fail():
                self._fail(step)
            case _:
                raise TypeError(f"no way to carry out {step!r}")

    def _note_earlier_build(self, why: str) -> None:
        with transaction.atomic():
            self._row.add_note(why)
            self._journal.event(
                f"{self._journal.swarm} takes an earlier build", why, kind=Kind.BUILD_AWAITED
            )

    def _fail(self, step: plan_types.Fail) -> None:
        dispatch = self._row.dispatch
        if dispatch.release is None and dispatch.build is not None:
            building.finish(dispatch.build, self._journal)
        if step.procs:
            proc = step.procs[0]
            was_ready = self._journal.ended(StepKind.START) is not None
            when = "before it was put to use" if was_ready else "at start"
            raise starting.blame(self._reach(proc.host), proc.name, f"died {when}")
        raise DispatchFailed(step.reason, hint=step.hint)

    def _wanted(self, nodes: Iterable[Node]) -> list[WantedProc]:
        """The procs that are to run on the nodes; raises HostUnreachable."""
        release = self._row.release
        return [
            WantedProc(node, self._goal.proc_name(release, node.port), self._reach(node.host))
            for node in nodes
        ]

    def _leaving(self, procs: Sequence[SeenProc]) -> list[HostProcs]:
        """The procs by their hosts; raises HostUnreachable."""
        hosts = sorted({proc.host for proc in procs})
        return [
            HostProcs(self._reach(host), tuple(proc.name for proc in procs if proc.host == host))
            for host in hosts
        ]
