"""Route, Unroute and Drain: the pool becomes exactly the tested nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from django.conf import settings

from vr.server.events.kinds import Kind
from vr.server.jobs.sliced import Sliced
from vr.server.models import StepKind, Swarm
from vr.server.swarming import pools
from vr.server.swarming.journal import Journal
from vr.server.swarming.plan_types import Node
from vr.server.swarming.pools import Pool
from vr.server.swarming.problems import DispatchFailed
from vr.text.plurals import counted


def route(
    swarm: Swarm,
    pool: Pool,
    nodes: Sequence[Node],
    journal: Journal,
    *,
    backups: Sequence[str] = (),
    remember: Callable[[Collection[str]], None] = lambda _: None,
) -> None:
    """Make the swarm's pool exactly `nodes`, which passed their uptests in this dispatch, with
    `backups`. `remember` is told what was routed before, before that is changed.

    The nodes come from the plan and aren't looked up again: whatever appeared since then is
    untested. Raises VelociraptorError if the balancer refuses, with the pool as it was.
    """
    message = f"routing {pool.name} to {counted(len(nodes), 'node')}"
    with journal.step(StepKind.ROUTE, message) as step:
        # Before the balancer: a pool that is forgotten would point at dead nodes for ever.
        pools.remember(swarm, [*pools.remembered(swarm), pool])
        before = pool.nodes()
        if before is None:
            raise DispatchFailed(
                f"The balancer {pool.balancer!r} does not tell what the pool {pool.name!r} holds, "
                "so nothing was changed: a failure could not be taken back.",
                hint="Look whether the balancer can be reached, then swarm again.",
            )
        remember(before | pool.backups())
        change = pool.set_nodes(map(str, nodes), backups, passing=swarm.passing)
        step.say(f"{pool.name}: {', '.join(change.after) or 'no nodes'}")
        journal.event(
            f"{journal.swarm}: pool {pool.name} routed",
            f"current: {_list(change.before)}\ncorrect: {_list(change.after)}\n"
            f"new: {_list(change.added)}\nstale: {_list(change.removed)}",
            kind=Kind.POOL_ROUTED,
        )


def unroute(swarm: Swarm, journal: Journal) -> None:
    """Empty the pools that the swarm used before its pool or balancer was changed."""
    with journal.step(StepKind.ROUTE, "cleaning former pools") as step:
        former = pools.former(swarm)
        for pool in former:
            pool.clean(swarm)
        pools.remember(swarm, [pool for pool in pools.remembered(swarm) if pool not in former])
        step.say(f"cleaned {', '.join(pool.name for pool in former)}")


def route_back(pool: Pool, nodes: Sequence[str], journal: Journal) -> None:
    """Make the pool what it was before the dispatch that failed."""
    message = f"routing {pool.name} back to {counted(len(nodes), 'node')}"
    with journal.step(StepKind.UNDO, message) as step:
        change = pool.set_nodes(nodes)
        step.say(f"{pool.name} is routed back: {_list(change.after)}")
        journal.event(
            f"{journal.swarm}: pool {pool.name} routed back",
            f"current: {_list(change.before)}\ncorrect: {_list(change.after)}",
            kind=Kind.POOL_ROUTED,
        )


def drain(pool: Pool | None, nodes: Sequence[Node], journal: Journal) -> Sliced[None]:
    """Leave `nodes` alone in the pool, without backups, and wait until requests to what was
    routed before have ended, for VR_DRAIN_SECONDS at most."""
    with journal.step(StepKind.DRAIN, "waiting for old requests to end") as step:
        if pool is not None and pool.backups():
            pool.set_nodes(map(str, nodes))
        if pool is None or (yield from pool.drains(settings.DRAIN_SECONDS, step.check)):
            step.say("old requests have ended")
        else:
            step.say(f"some requests were not done after {settings.DRAIN_SECONDS:.0f} s")


def _list(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) or "none"
