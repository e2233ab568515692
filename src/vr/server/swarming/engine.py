"""The engine: looks, plans, does the first step, and again, until nothing is left to do.

It keeps nothing in memory that matters: killed at any line, the next worker looks, plans and
goes on. Where it only waits, it lets go of its thread.
"""

from __future__ import annotations

import functools
import logging
from collections import defaultdict
from enum import Enum

from django.db import OperationalError

from vr.errors import VelociraptorError
from vr.hosts.supervisor import HostUnreachable
from vr.server.hosts import connect
from vr.server.jobs import leases, leaving
from vr.server.jobs.leases import LeaseLost
from vr.server.jobs.sliced import Sliced, finish
from vr.server.logs import traced
from vr.server.models import Dispatch, DispatchStatus
from vr.server.models.dispatch import OPEN
from vr.server.swarming import plan_types
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.ending import end, silence
from vr.server.swarming.goal import goal_of
from vr.server.swarming.hand import Hand
from vr.server.swarming.journal import Journal
from vr.server.swarming.observe import build_state, observe
from vr.server.swarming.plan import plan
from vr.server.swarming.problems import Cancelled, DispatchFailed, ForeignPorts, PlanAgain
from vr.server.swarming.steps import (
    building,
    holding,
)

log = logging.getLogger(__name__)

# How often a step may fail in a way that may pass, before the dispatch is given up.
_ATTEMPTS = 3
_RETRY_SECONDS = 0.5
# Steps after which there is no other way: they are tried again whatever goes wrong.
_REPEATED = plan_types.Retire | plan_types.Undo | plan_types.RouteBack | plan_types.NextBatch
# A dispatch that deploys again and again, as its procs pass and die, must end some time.
_LONGEST_PLAN = 200


class Outcome(Enum):
    ENDED = "ended"
    PARKED = "parked"  # waits for a build
    HELD = "held"  # waits for people
    ELSEWHERE = "elsewhere"  # another worker has it, or it had ended


def drive(dispatch_id: int) -> Outcome:
    """Carry the dispatch on, here and now, until it ends or waits for a build."""
    return finish(driving(dispatch_id))


def driving(dispatch_id: int) -> Sliced[Outcome]:
    """As `drive`, in slices."""
    while True:
        with leases.hold(Dispatch, dispatch_id, OPEN) as lease:
            if lease is None:
                return Outcome.ELSEWHERE
            row = DispatchRow.begin(dispatch_id, lease)
            with traced(row.dispatch.trace_id):
                outcome = yield from _Drive(row).run()
        if outcome not in {Outcome.PARKED, Outcome.HELD} or _still_waits(dispatch_id, outcome):
            return outcome
        # That ended between the look at it and the end of our lease: nobody wakes us.


def _still_waits(dispatch_id: int, outcome: Outcome) -> bool:
    dispatch = Dispatch.objects.select_related("build").get(pk=dispatch_id)
    if dispatch.is_open and dispatch.cancel_asked is not None:
        return False
    if outcome is Outcome.HELD:
        return dispatch.status != DispatchStatus.RUNNING
    return build_state(dispatch.build) is plan_types.BuildState.UNDERWAY


class _Drive:
    """One worker's way through one dispatch."""

    def __init__(self, row: DispatchRow) -> None:
        self._row = row
        self._goal = goal_of(row.dispatch)
        self._journal = Journal(row.dispatch, self._check_wanted)
        self._is_final = False
        self._reach = functools.cache(connect)
        self._hand = Hand(row, self._goal, self._journal, self._reach, self._check_wanted)
        self._foreign_ports: dict[str, set[int]] = defaultdict(set)

    def run(self) -> Sliced[Outcome]:
        try:
            self._close_hold()
            left = _LONGEST_PLAN
            while left:
                left -= 1
                self._check()
                step = self._next_step()
                if isinstance(step, plan_types.AwaitBuild | plan_types.Hold):
                    if outcome := self._leave(step):
                        return outcome
                    continue
                if isinstance(step, plan_types.Finish):
                    end(self._row, self._journal, silence(step))
                    return Outcome.ENDED
                if not (yield from self._attempt(step)):
                    return Outcome.ENDED
                if isinstance(step, plan_types.NextBatch):
                    left = _LONGEST_PLAN
            self._row.note_failure(
                DispatchFailed("The dispatch did not come to an end: its procs keep dying.")
            )
            end(self._row, self._journal)
        except LeaseLost:
            log.warning("dispatch %s is left to another worker", self._row.dispatch.pk)
            return Outcome.ELSEWHERE
        return Outcome.ENDED

    def _close_hold(self) -> None:
        try:
            holding.go_on(self._row.dispatch, self._journal)
        except Cancelled as cancelled:
            self._row.note_failure(cancelled)

    def _leave(self, step: plan_types.AwaitBuild | plan_types.Hold) -> Outcome | None:
        """Leave the dispatch to whoever builds, or routes it; None if it was cancelled just now."""
        try:
            if isinstance(step, plan_types.Hold):
                holding.hold(self._row, step.nodes, self._journal)
                return Outcome.HELD
            building.wait(self._row.build, self._journal)
            return Outcome.PARKED
        except Cancelled as cancelled:
            self._row.note_failure(cancelled)
            return None

    def _check(self) -> None:
        """Raise LeaseLost if another worker drives this, or is to: this one was asked to end."""
        if leaving.is_leaving():
            raise LeaseLost
        self._row.lease.check()

    def _check_wanted(self) -> None:
        """As `_check`; raises Cancelled if the step that is under way is to be given up."""
        self._check()
        if not self._is_final:
            self._row.check_wanted()

    def _next_step(self) -> plan_types.PlannedStep:
        milestones = self._journal.milestones()
        is_committed = plan_types.Milestone.COMMITTED in milestones
        if not is_committed:
            try:
                self._row.check_wanted()
            except Cancelled as cancelled:
                self._row.note_failure(cancelled)
        seen = observe(self._goal, self._row.dispatch, milestones, self._reach, self._foreign_ports)
        step = plan(self._goal.intent, seen)[0]
        # What undoes, or comes after the point of no return, is done to its end.
        self._is_final = is_committed or isinstance(step, _REPEATED | plan_types.Finish)
        return step

    def _attempt(self, step: plan_types.PlannedStep) -> Sliced[bool]:
        """Do the step. What goes wrong ends in a retry, or in the dispatch's error, never in a
        traceback that nobody sees. False if the dispatch has ended by it."""
        row = self._row
        problem: Exception
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                yield from self._hand.carry_out(step)
                return True
            except LeaseLost:
                raise
            except PlanAgain as reason:
                self._remember(reason)
                return True
            except (HostUnreachable, OperationalError) as error:
                problem = error
            except VelociraptorError as error:
                if not isinstance(step, _REPEATED) and not self._undoes_preview(step):
                    row.note_failure(error)
                    return True
                problem = error
            except Exception as error:
                log.exception("dispatch %s: %s", row.dispatch.pk, type(step).__name__)
                row.note_failure(_bug(error))
                return True
            log.warning("dispatch %s, attempt %s: %s", row.dispatch.pk, attempt, problem)
            self._check()
            yield _RETRY_SECONDS
        if self._undoes_preview(step):
            # They stay together: procs that are shown must be there. The next dispatch clears up.
            end(row, self._journal, f"The pool of what was held could not be removed: {problem}")
            return False
        if isinstance(step, plan_types.RouteBack):
            # The pool keeps what it holds, and so do the procs: the next dispatch clears up.
            end(row, self._journal, f"The pool could not be routed back: {problem}")
            return False
        if isinstance(step, plan_types.Undo):
            # The procs keep their ports, and the next dispatch of the swarm retires them.
            left = ", ".join(proc.name for proc in step.procs)
            end(row, self._journal, f"{left} could not be removed: {problem}")
            return False
        row.note_failure(problem if isinstance(problem, VelociraptorError) else _bug(problem))
        return True

    def _undoes_preview(self, step: plan_types.PlannedStep) -> bool:
        return isinstance(step, plan_types.EndPreview) and bool(self._row.dispatch.error)

    def _remember(self, reason: PlanAgain) -> None:
        log.info("dispatch %s plans again: %s", self._row.dispatch.pk, reason)
        if isinstance(reason, ForeignPorts):
            for node in reason.nodes:
                self._foreign_ports[node.host].add(node.port)


def _bug(error: Exception) -> DispatchFailed:
    return DispatchFailed(
        f"A bug in Velociraptor ended the dispatch: {type(error).__name__}: {error}",
        hint="The worker's log has the details.",
    )
