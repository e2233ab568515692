"""Why a swarm can't be dispatched: sentences for people, types for programs."""

from __future__ import annotations

from collections.abc import Sequence

from vr.errors import Busy, VelociraptorError
from vr.server.answers import Conflict
from vr.server.jobs import cancelled
from vr.server.models import Dispatch
from vr.server.swarming.plan_types import Node


class CannotDispatch(VelociraptorError):
    """The swarm as it is described can't be brought to life; nothing was changed."""


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


class DispatchFailed(VelociraptorError):
    """A step ended the dispatch: `message` is why, `details` the failing output."""


class Cancelled(DispatchFailed):
    """Somebody wants the dispatch to end, and what it did to be undone."""

    def __init__(self, by: str) -> None:
        super().__init__(cancelled.sentence(by))


class CannotCancel(Conflict):
    """The dispatch can't be cancelled, as it has ended, or is past the point of no return."""


class CannotRoute(Conflict):
    """The dispatch can't be routed, as it is not held."""


class CannotRetry(Conflict):
    """The dispatch can't be tried again, as it has not failed, or is not the last word."""


class PlanAgain(Exception):
    """What was planned on has changed meanwhile; nothing was done."""


class ForeignPorts(PlanAgain):
    """Programs that aren't ours listen on the ports of `nodes`."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        super().__init__(f"{', '.join(map(str, nodes))} is taken by a foreign program")
