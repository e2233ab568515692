"""Why a swarm can't be dispatched: sentences for people, types for programs."""

from __future__ import annotations

from vr.errors import Busy, VelociraptorError
from vr.server.builds.problems import CannotDispatch
from vr.server.models import Dispatch


class NothingToRollBackTo(CannotDispatch):
    """No earlier release of the swarm was ever dispatched with success."""


class SwarmBusy(Busy):
    """Another dispatch of the swarm is open. `dispatch` is that one."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        super().__init__(
            f"{dispatch.swarm.name} is being dispatched to {dispatch.tag} already, since "
            f"{dispatch.created:%Y-%m-%d %H:%M:%S} UTC (trace {dispatch.trace_id}).",
            hint="Wait until it has ended, then try again.",
        )


class UnknownProc(VelociraptorError):
    """The host knows no proc of that name."""


class DispatchFailed(VelociraptorError):
    """A step ended the dispatch: `message` is why, `details` the failing output."""


class PlanAgain(Exception):
    """What was planned on has changed meanwhile; nothing was done."""
