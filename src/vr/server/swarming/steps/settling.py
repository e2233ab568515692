"""Settle: new procs serve, the old ones stand by, and everybody watches whether that lasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from vr.hosts.crews import LOOKING
from vr.hosts.readiness import ProcState, has_restarted
from vr.server.jobs.sliced import Sliced
from vr.server.models import Dispatch, StepKind
from vr.server.procs import ports
from vr.server.swarming.journal import Journal, OpenStep
from vr.server.swarming.steps.starting import ProcSight, blame, look
from vr.server.swarming.wanted import WantedProc, by_host
from vr.text.plurals import counted

_POLL_SECONDS = 0.2
# A port that once took no connection may have had too many at once.
_REFUSALS = 3


def settle(
    dispatch: Dispatch,
    procs: Sequence[WantedProc],
    seconds: float,
    journal: Journal,
    *,
    listens: bool,
) -> Sliced[None]:
    """Watch the new procs of `dispatch` until they have stayed up for `seconds` since they were
    routed, a worker's death in between not counted anew.

    Raises DispatchFailed with the end of its log for one that dies, is started again or does not
    take connections any more.
    """
    begun = journal.ended(StepKind.ROUTE) or timezone.now()
    serving = (begun - (dispatch.started or begun)).total_seconds()
    message = f"serving after {serving:.1f} s; watched for {seconds:.0f} s"
    with journal.step(StepKind.SETTLE, message) as step:
        until = _later(step.started, begun) + timedelta(seconds=seconds)
        yield from watch(dispatch, procs, until, step, listens=listens)
        step.say(
            f"serving after {serving:.1f} s, settled after "
            f"{(timezone.now() - (dispatch.started or begun)).total_seconds():.1f} s: "
            f"{counted(len(procs), 'proc')} stayed up"
        )


def watch(
    dispatch: Dispatch,
    procs: Sequence[WantedProc],
    until: datetime,
    step: OpenStep,
    *,
    listens: bool,
) -> Sliced[None]:
    """Watch the procs `until` then; raises as `settle` does."""
    spawns = ports.spawns_of(dispatch)
    groups = by_host(procs)
    refusals: Counter[str] = Counter()
    while timezone.now() < until:
        step.check()
        for states in LOOKING.do(lambda group: look(group, listens), groups):
            for one in states:
                _judge(one, spawns.get((one.proc.node.host, str(one.proc)), ""), refusals)
        yield _POLL_SECONDS


def _judge(one: ProcSight, spawn: str, refusals: Counter[str]) -> None:
    proc = one.proc
    if one.state in {ProcState.DEAD, ProcState.ABSENT}:
        raise blame(proc.host, str(proc), "died soon after it was put to use")
    if one.info is not None and has_restarted(spawn, one.info):
        raise blame(
            proc.host, str(proc), "ended and was started again, soon after it was put to use"
        )
    if one.state is ProcState.READY:
        del refusals[str(proc)]
        return
    refusals[str(proc)] += 1
    if refusals[str(proc)] >= _REFUSALS:
        raise blame(
            proc.host,
            str(proc),
            f"takes no connections on port {proc.node.port} any more, soon after it was put to use",
        )


def _later(one: datetime, other: datetime) -> datetime:
    return max(one, other)
