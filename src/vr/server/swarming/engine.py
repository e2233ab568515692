"""The engine: looks, plans, does the first step, and again, until nothing is left to do.

It keeps nothing in memory that matters: killed at any line, the next worker looks, plans and
goes on.
"""

from __future__ import annotations

import logging
import time
from enum import Enum
from zlib import crc32

from django.db import OperationalError
from django.utils import timezone

from vr.errors import VelociraptorError
from vr.hosts.supervisor import HostUnreachable
from vr.server.events.kinds import Kind
from vr.server.jobs import leases
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import Dispatch, DispatchStatus, Swarm
from vr.server.models.dispatch import OPEN
from vr.server.swarming import plan_types
from vr.server.swarming.observe import build_state, milestones, observe
from vr.server.swarming.plan import plan
from vr.server.swarming.problems import DispatchFailed, PlanAgain
from vr.server.swarming.run import Run, port_range
from vr.server.swarming.steps import (
    building,
    deploying,
    releasing,
    retiring,
    routing,
    starting,
    uptesting,
)
from vr.text.plurals import counted

log = logging.getLogger(__name__)

# How often a step may fail in a way that may pass, before the dispatch is given up.
_ATTEMPTS = 3
_RETRY_SECONDS = 0.5
# A dispatch that deploys again and again, as its procs pass and die, must end some time.
_LONGEST_PLAN = 200


class Outcome(Enum):
    ENDED = "ended"
    PARKED = "parked"  # waits for a build
    ELSEWHERE = "elsewhere"  # another worker has it, or it had ended


def drive(dispatch_id: int) -> Outcome:
    """Carry the dispatch on until it ends or waits for a build."""
    while True:
        with leases.hold(Dispatch, dispatch_id, OPEN) as lease:
            if lease is None:
                return Outcome.ELSEWHERE
            outcome = _drive(_start(dispatch_id, lease))
        if outcome is not Outcome.PARKED or _still_builds(dispatch_id):
            return outcome
        # The build ended between the look at it and the end of our lease: nobody wakes us.


def _start(dispatch_id: int, lease: Lease) -> Run:
    dispatch = Dispatch.objects.select_related(
        "swarm__app__stack",
        "swarm__squad",
        "build__app",
        "build__image",
        "release__build__app",
        "release__build__image",
        "user",
    ).get(pk=dispatch_id)
    dispatch.status = DispatchStatus.RUNNING
    dispatch.started = dispatch.started or timezone.now()
    lease.rows.update(status=dispatch.status, started=dispatch.started)
    return Run(dispatch, lease)


def _still_builds(dispatch_id: int) -> bool:
    dispatch = Dispatch.objects.select_related("build").get(pk=dispatch_id)
    return build_state(dispatch.build) is plan_types.BuildState.UNDERWAY


def _drive(run: Run) -> Outcome:
    try:
        for _ in range(_LONGEST_PLAN):
            run.lease.check()
            step = _next_step(run)
            if isinstance(step, plan_types.AwaitBuild):
                building.wait(run)
                return Outcome.PARKED
            if isinstance(step, plan_types.Finish):
                _end(run, _silence(step))
                return Outcome.ENDED
            if not _attempt(run, step):
                return Outcome.ENDED
        _fail(run, DispatchFailed("The dispatch did not come to an end: its procs keep dying."))
        _end(run)
    except LeaseLost:
        log.warning("dispatch %s was taken over by another worker", run.dispatch.pk)
        return Outcome.ELSEWHERE
    return Outcome.ENDED


def _next_step(run: Run) -> plan_types.Step:
    return plan(_intent(run), observe(run))[0]


def _intent(run: Run) -> plan_types.Intent:
    ports = port_range()
    return plan_types.Intent(
        size=run.dispatch.size,
        routed=run.has_pool,
        ports=ports,
        # Differs from dispatch to dispatch, stays the same within one.
        first_port=ports[crc32(run.dispatch.trace_id.encode()) % len(ports)],
        squad=f"the squad {run.swarm.squad.name}",
    )


def _attempt(run: Run, step: plan_types.Step) -> bool:
    """Do the step. What goes wrong ends in a retry, or in the dispatch's error, never in a
    traceback that nobody sees. False if the dispatch has ended by it."""
    problem: Exception
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            carry_out(run, step)
            return True
        except LeaseLost:
            raise
        except PlanAgain as reason:
            log.info("dispatch %s plans again: %s", run.dispatch.pk, reason)
            return True
        except (HostUnreachable, OperationalError) as error:
            problem = error
        except VelociraptorError as error:
            if not isinstance(step, plan_types.Retire | plan_types.Undo):
                _fail(run, error)
                return True
            problem = error
        except Exception as error:
            log.exception("dispatch %s: %s", run.dispatch.pk, type(step).__name__)
            _fail(run, _bug(error))
            return True
        log.warning("dispatch %s, attempt %s: %s", run.dispatch.pk, attempt, problem)
        run.lease.check()
        time.sleep(_RETRY_SECONDS)
    if isinstance(step, plan_types.Undo):
        # The procs keep their ports, and the next dispatch of the swarm retires them.
        left = ", ".join(proc.name for proc in step.procs)
        _end(run, f"{left} could not be removed: {problem}")
        return False
    _fail(run, problem if isinstance(problem, VelociraptorError) else _bug(problem))
    return True


def carry_out(run: Run, step: plan_types.Step) -> None:
    """Do one step of a plan."""
    match step:
        case plan_types.Build():
            building.choose(run)
        case plan_types.MakeRelease():
            building.finish(run)
            releasing.make(run)
        case plan_types.Deploy(nodes):
            deploying.deploy(run, nodes)
        case plan_types.Start(nodes):
            starting.wait_until_ready(run, nodes)
        case plan_types.Uptest(nodes):
            uptesting.uptest(run, nodes)
        case plan_types.Route(nodes):
            routing.route(run, nodes)
        case plan_types.Unroute():
            routing.unroute(run)
        case plan_types.Drain():
            routing.drain(run)
        case plan_types.Retire(procs):
            retiring.retire(run, procs)
        case plan_types.Undo(procs):
            retiring.undo(run, procs)
        case plan_types.Fail(reason, hint, procs):
            _carry_out_failure(run, reason, hint, procs)
        case _:
            raise TypeError(f"no way to carry out {step!r}")


def _carry_out_failure(
    run: Run, reason: str, hint: str, procs: tuple[plan_types.Proc, ...]
) -> None:
    if run.dispatch.release is None and run.dispatch.build is not None:
        building.finish(run)
    if procs:
        raise starting.blame(run, procs[0].node, "died before it was put to use")
    raise DispatchFailed(reason, hint=hint)


def _bug(error: Exception) -> DispatchFailed:
    return DispatchFailed(
        f"A bug in Velociraptor ended the dispatch: {type(error).__name__}: {error}",
        hint="The worker's log has the details.",
    )


def _fail(run: Run, error: VelociraptorError) -> None:
    """Note why, unless an earlier reason is there: the next plan backs out."""
    if run.dispatch.error:
        run.dispatch.output = f"{run.dispatch.output}\n{error}\n{error.details}".strip()
    else:
        run.dispatch.error = str(error)
        run.dispatch.output = error.details
    run.lease.rows.update(error=run.dispatch.error, output=run.dispatch.output)


def _silence(finish: plan_types.Finish) -> str:
    if not finish.silent_hosts:
        return ""
    return (
        f"Not reached: {', '.join(finish.silent_hosts)}. Old procs there are no longer routed; "
        "the next dispatch retires them."
    )


def _end(run: Run, trouble: str = "") -> None:
    """Close the dispatch: with success, or failed with its reason."""
    run.lease.check()
    dispatch, swarm = run.dispatch, run.swarm
    if trouble:
        dispatch.output = f"{dispatch.output}\n{trouble}".strip()
    dispatch.status = DispatchStatus.FAILED if dispatch.error else DispatchStatus.SUCCEEDED
    dispatch.ended = timezone.now()
    _settle(run)
    run.journal.close_open_steps()
    run.lease.rows.update(status=dispatch.status, ended=dispatch.ended, output=dispatch.output)
    assert dispatch.started is not None
    seconds = (dispatch.ended - dispatch.started).total_seconds()
    if dispatch.error:
        run.journal.event(
            f"{swarm.name} → {dispatch.tag} failed",
            f"{dispatch.error}\n\n{dispatch.output}".strip(),
            kind=Kind.SWARM_FAILED,
        )
    else:
        run.journal.event(
            f"{swarm.name} → {dispatch.tag} done",
            f"{counted(dispatch.size, 'proc')} of {dispatch.tag} in service; "
            f"it took {seconds:.1f} s. {trouble}".strip(),
            kind=Kind.SWARM_DONE,
        )


def _settle(run: Run) -> None:
    """Let the swarm say what serves it now.

    A version that was put to use stays what the swarm wants, whatever failed afterwards. One that
    wasn't is forgotten, so that `vr swarm … -` brings back what served and not what failed.
    """
    dispatch, swarm = run.dispatch, run.swarm
    if not dispatch.error or plan_types.Milestone.COMMITTED in milestones(run):
        if dispatch.release is not None:
            swarm.release = dispatch.release
            swarm.save(update_fields=["release"])
        return
    served = swarm.dispatches.filter(status=DispatchStatus.SUCCEEDED).order_by("-id").first()
    if served is not None:
        # Edits of the swarm meanwhile are somebody's newer wish.
        wished = Swarm.objects.filter(pk=swarm.pk, tag=dispatch.tag, size=dispatch.size)
        wished.update(tag=served.tag, size=served.size)
