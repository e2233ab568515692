"""Preview and Hold: a version that is deployed and tested waits for somebody who routes it, and can
be looked at meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vr.server.events.kinds import Kind
from vr.server.models import Dispatch, StepKind, StepStatus, Swarm
from vr.server.swarming import pools
from vr.server.swarming.dispatch_row import DispatchRow
from vr.server.swarming.journal import Journal
from vr.server.swarming.plan_types import Node


def preview(swarm: Swarm, nodes: Sequence[Node]) -> None:
    """Make the preview's pool exactly `nodes`, which passed their uptests.

    Raises VelociraptorError if the balancer refuses.
    """
    pool = pools.preview_of(swarm)
    assert pool is not None
    # Before the balancer: a pool that is forgotten would point at dead nodes for ever.
    pools.remember(swarm, [*pools.remembered(swarm), pool])
    pool.set_nodes(map(str, nodes), passing=swarm.passing)


def end_preview(swarm: Swarm) -> None:
    """Remove it. Raises VelociraptorError if the balancer refuses."""
    previews = pools.previews(swarm)
    for pool in previews:
        pool.clean(swarm)
    pools.remember(swarm, [pool for pool in pools.remembered(swarm) if pool not in previews])


def hold(row: DispatchRow, nodes: Sequence[Node], journal: Journal) -> None:
    """Leave it to people, and tell them, once."""
    dispatch, swarm = row.dispatch, journal.swarm
    until = dispatch.rests_until or timezone.now() + timedelta(seconds=settings.HOLD_SECONDS)
    is_first_time = not journal.has(StepKind.HOLD)
    message = f"until {until:%Y-%m-%d %H:%M} UTC; look at it: {_where(dispatch.swarm, nodes)}"
    with transaction.atomic():
        with journal.step(StepKind.HOLD, message) as step:
            step.leave_open()
        if is_first_time:
            journal.event(
                f"{swarm} → {dispatch.tag} is held",
                f"It waits {message}\nRoute it: vr route {swarm}\nTake it back: vr cancel {swarm}",
                kind=Kind.SWARM_HELD,
            )
        row.hold(until)


def go_on(dispatch: Dispatch, journal: Journal) -> None:
    """Close the step, if it was held and is to be routed."""
    if dispatch.route_asked is None:
        return
    if dispatch.steps.filter(kind=StepKind.HOLD, status=StepStatus.RUNNING).exists():
        by = dispatch.routed_by or "somebody"
        with journal.step(StepKind.HOLD, f"routed, as {by} asked"):
            pass


def _where(swarm: Swarm, nodes: Sequence[Node]) -> str:
    """Where the held version answers: a URL if its balancer gives pools such, else its nodes."""
    return pools.preview_url(swarm) or ", ".join(map(str, nodes)) or "it has no procs"
