"""Route, Unroute and Drain: the pool becomes exactly the tested nodes."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from vr.server.events.kinds import Kind
from vr.server.models import StepKind, Swarm
from vr.server.swarming.observe import former_pools
from vr.server.swarming.plan_types import Node
from vr.server.swarming.run import Run
from vr.text.plurals import counted


def route(run: Run, nodes: Sequence[Node]) -> None:
    """Make the swarm's pool exactly `nodes`, which passed their uptests in this dispatch.

    The nodes come from the plan and aren't looked up again: whatever appeared since then is
    untested. Raises VelociraptorError if the balancer refuses, with the pool as it was.
    """
    pool = run.swarm.pool
    with run.journal.step(
        StepKind.ROUTE, f"routing {pool} to {counted(len(nodes), 'node')}"
    ) as step:
        # Before the balancer: a pool that is forgotten would point at dead nodes for ever.
        _remember_pools(run.swarm, [*_pools(run.swarm), (run.swarm.balancer, pool)])
        change = run.balancer().set_nodes(pool, [str(node) for node in nodes])
        step.say(f"{pool}: {', '.join(change.after) or 'no nodes'}")
        run.journal.event(
            f"{run.swarm.name}: pool {pool} routed",
            f"current: {_list(change.before)}\ncorrect: {_list(change.after)}\n"
            f"new: {_list(change.added)}\nstale: {_list(change.removed)}",
            kind=Kind.POOL_ROUTED,
        )


def unroute(run: Run) -> None:
    """Empty the pools that the swarm used before its pool or balancer was changed.

    One that another swarm uses now is left to it.
    """
    with run.journal.step(StepKind.ROUTE, "cleaning former pools") as step:
        former = former_pools(run)
        for balancer, pool in former:
            in_use = Swarm.objects.filter(balancer=balancer, pool=pool).exclude(pk=run.swarm.pk)
            if balancer in settings.BALANCERS and not in_use.exists():
                run.balancer(balancer).delete_pool(pool)
        _remember_pools(run.swarm, [p for p in _pools(run.swarm) if p not in former])
        step.say(f"cleaned {', '.join(pool for _, pool in former)}")


def drain(run: Run) -> None:
    """Wait until requests to what was routed before have ended, for VR_DRAIN_SECONDS at most."""
    with run.journal.step(StepKind.DRAIN, "waiting for old requests to end") as step:
        if not run.has_pool or run.balancer().wait_drained(settings.DRAIN_SECONDS):
            step.say("old requests have ended")
        else:
            step.say(f"some requests were not done after {settings.DRAIN_SECONDS:.0f} s")


def _pools(swarm: Swarm) -> list[tuple[str, str]]:
    return [(balancer, pool) for balancer, pool in swarm.routed_pools]


def _remember_pools(swarm: Swarm, pools: Sequence[tuple[str, str]]) -> None:
    with transaction.atomic():
        swarm.routed_pools = [list(pool) for pool in dict.fromkeys(pools)]
        swarm.save(update_fields=["routed_pools"])


def _list(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) or "none"
