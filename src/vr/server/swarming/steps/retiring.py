"""Retire and Undo: procs leave their hosts, then give back their ports."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.conf import settings

from vr.errors import VelociraptorError
from vr.hosts import deployment
from vr.hosts.crews import TEARING_DOWN
from vr.server.events.kinds import Kind
from vr.server.jobs.sliced import Sliced
from vr.server.models import StepKind
from vr.server.swarming import routed
from vr.server.swarming.journal import Journal, OpenStep
from vr.server.swarming.pools import Pool
from vr.server.swarming.wanted import HostProcs
from vr.text.plurals import counted


def retire(leaving: Sequence[HostProcs], journal: Journal) -> Sliced[None]:
    """Remove old procs, which nothing routes to any more.

    Raises what the first host said on which that was not possible, when all have been tried.
    """
    with journal.step(StepKind.RETIRE, f"retiring {_number(leaving)} old procs") as step:
        yield from _remove(leaving, journal, step, "retired")


def undo(
    leaving: Sequence[HostProcs], journal: Journal, *, drained: Pool | None = None
) -> Sliced[None]:
    """Remove the procs that this failed dispatch placed. Raises as `retire` does.

    If they have been routed in the pool `drained`, requests to them may end before.
    """
    with journal.step(StepKind.UNDO, f"removing {_number(leaving)} new procs") as step:
        if drained is not None:
            yield from drained.drains(settings.DRAIN_SECONDS, step.check)
        yield from _remove(leaving, journal, step, "removed")


def _remove(
    leaving: Sequence[HostProcs], journal: Journal, step: OpenStep, done: str
) -> Sliced[None]:
    job = TEARING_DOWN.begin(_remove_from, leaving)
    problems = yield from job.watched(lambda: None)
    for procs, problem in zip(leaving, problems, strict=True):
        if problem is None:
            _tell_gone(procs, journal)
        elif isinstance(problem, VelociraptorError):
            journal.event(
                f"{journal.swarm}: procs could not be deleted",
                f"{problem}\n{problem.details}",
                kind=Kind.REMOVAL_FAILED,
            )
    if problem := next((one for one in problems if one), None):
        raise problem
    step.say(f"{counted(_number(leaving), 'proc')} {done}")


def _remove_from(procs: HostProcs) -> Exception | None:
    """Remove them from their host; returns what went wrong, as others are to be tried, too."""
    try:
        deployment.retire(procs.host, procs.names)
    except Exception as error:
        return error
    return None


def _tell_gone(procs: HostProcs, journal: Journal) -> None:
    def tell(names: Collection[str]) -> None:
        journal.event(
            f"{journal.swarm}: {len(names)} deleted from {procs.host.name}",
            ", ".join(sorted(names)),
            kind=Kind.PROCS_REMOVED,
        )

    routed.give_back(procs.host.name, procs.names, tell=tell)


def _number(leaving: Sequence[HostProcs]) -> int:
    return sum(len(procs.names) for procs in leaving)
