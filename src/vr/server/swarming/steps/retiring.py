"""Retire and Undo: procs leave their hosts, then give back their ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from vr.errors import VelociraptorError
from vr.hosts import deployment
from vr.server.events.kinds import Kind
from vr.server.models import PortLease, StepKind
from vr.server.swarming.journal import OpenStep
from vr.server.swarming.plan_types import Proc
from vr.server.swarming.run import Run, side_by_side
from vr.text.plurals import counted


def retire(run: Run, procs: Sequence[Proc]) -> None:
    """Remove old procs, which nothing routes to any more."""
    with run.journal.step(StepKind.RETIRE, f"retiring {counted(len(procs), 'old proc')}") as step:
        _remove(run, procs, step, "retired")


def undo(run: Run, procs: Sequence[Proc]) -> None:
    """Remove the procs that this failed dispatch placed."""
    with run.journal.step(StepKind.UNDO, f"removing {counted(len(procs), 'new proc')}") as step:
        _remove(run, procs, step, "removed")


def _remove(run: Run, procs: Sequence[Proc], step: OpenStep, done: str) -> None:
    by_host: dict[str, list[str]] = defaultdict(list)
    for proc in procs:
        by_host[proc.host].append(proc.name)
    side_by_side(lambda item: _remove_from(run, *item), by_host.items())
    step.say(f"{counted(len(procs), 'proc')} {done}")


def _remove_from(run: Run, host_name: str, names: Sequence[str]) -> None:
    try:
        deployment.retire(run.host(host_name), names)
    except VelociraptorError as error:
        run.journal.event(
            f"{run.swarm.name}: procs could not be deleted",
            f"{error}\n{error.details}",
            kind=Kind.REMOVAL_FAILED,
        )
        raise
    PortLease.objects.filter(host__name=host_name, proc__in=names).delete()
    run.journal.event(
        f"{run.swarm.name}: {len(names)} deleted from {host_name}",
        ", ".join(names),
        kind=Kind.PROCS_REMOVED,
    )
