"""The pools of swarms: which one a swarm is routed in, and which may still hold its nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from vr.balancer.base import Change
from vr.errors import VelociraptorError
from vr.server.balancers import balancer_named, pool_url
from vr.server.jobs.sliced import Sliced
from vr.server.models import Swarm
from vr.server.models.swarm import PREVIEW_PREFIX
from vr.server.swarming.node_addresses import NodeAddresses
from vr.specs.passing import Passing

_DRAIN_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Pool:
    """A pool of a balancer, both by name; its nodes by their hosts' names.

    Methods raise VelociraptorError if the balancer is not set up or refuses, unless they say
    otherwise."""

    balancer: str
    name: str

    @property
    def is_preview(self) -> bool:
        """Is it the pool of a held version?"""
        return self.name.startswith(PREVIEW_PREFIX)

    def nodes(self) -> frozenset[str] | None:
        """The nodes that are routed now; None if the balancer can't tell."""
        try:
            found = balancer_named(self.balancer).get_nodes(self.name)
            return frozenset(NodeAddresses.now().by_names(found))
        except (VelociraptorError, OSError):
            return None

    def backups(self) -> frozenset[str]:
        """The nodes that stand by now; none if the balancer can't tell."""
        try:
            found = balancer_named(self.balancer).get_backups(self.name)
            return frozenset(NodeAddresses.now().by_names(found))
        except (VelociraptorError, OSError):
            return frozenset()

    def set_nodes(
        self,
        nodes: Iterable[str],
        backups: Iterable[str] = (),
        *,
        expected: Collection[str] | None = None,
        passing: Passing | None = None,
    ) -> Change:
        """Make the pool exactly `nodes`; none removes it. It is as it was if this raises.

        `backups` serve while no node takes requests, if the balancer knows how. Raises
        PoolChanged, changing nothing, if `expected` is given and isn't what is routed. `passing`
        says how requests are passed on from now on, if the balancer knows how."""
        balancer = balancer_named(self.balancer)
        # Balancers of others may know nothing of either.
        addresses = NodeAddresses.now()
        more: dict[str, Any] = {}
        if standing_by := addresses.for_balancer(backups):
            more["backups"] = standing_by
        if expected is not None:
            more["expected"] = addresses.for_balancer(expected)
        if passing is not None and balancer.knows_passing:
            more["passing"] = passing
        change = balancer.set_nodes(self.name, addresses.for_balancer(nodes), **more)
        return Change(
            tuple(addresses.by_names(change.before)), tuple(addresses.by_names(change.after))
        )

    def wait_drained(self, timeout: float) -> bool:
        """Wait until requests that began before the last change have ended, for `timeout` seconds
        at most; returns whether they have."""
        return balancer_named(self.balancer).wait_drained(timeout)

    def drains(self, timeout: float, check: Callable[[], None]) -> Sliced[bool]:
        """As `wait_drained`, in slices; `check` is called in each, and may raise."""
        deadline = time.monotonic() + timeout
        while not self.wait_drained(0):
            if time.monotonic() > deadline:
                return False
            yield _DRAIN_POLL_SECONDS
            check()
        return True

    def clean(self, swarm: Swarm) -> None:
        """Remove the pool that `swarm` used before; one that another swarm uses now is left to
        it, and so is one of a balancer that is not set up any more."""
        used = Swarm.objects.filter(balancer=self.balancer, pool=self.name).exclude(pk=swarm.pk)
        if self.balancer in settings.BALANCERS and not used.exists():
            balancer_named(self.balancer).delete_pool(self.name)


def preview_of(swarm: Swarm) -> Pool | None:
    """The pool in which a held version of the swarm can be looked at, if it has a pool at all."""
    return Pool(swarm.balancer, PREVIEW_PREFIX + swarm.pool) if swarm.pool else None


def preview_url(swarm: Swarm) -> str:
    """Where a held version of the swarm answers, if its balancer gives every pool an address; else
    empty."""
    pool = preview_of(swarm)
    return pool_url(pool.balancer, pool.name) if pool else ""


def pool_of(swarm: Swarm) -> Pool | None:
    """The pool that the swarm is to be routed in, if any."""
    return Pool(swarm.balancer, swarm.pool) if swarm.pool else None


def remembered(swarm: Swarm) -> list[Pool]:
    """Every pool that may hold nodes of the swarm."""
    return [Pool(balancer, pool) for balancer, pool in swarm.routed_pools]


def serving(swarm: Swarm) -> list[Pool]:
    """Those of them that users of the app come to."""
    return [pool for pool in remembered(swarm) if not pool.is_preview]


def previews(swarm: Swarm) -> list[Pool]:
    """Those of them in which a held version can be looked at."""
    return [pool for pool in remembered(swarm) if pool.is_preview]


def former(swarm: Swarm) -> list[Pool]:
    """Those that the swarm served in before its pool or balancer was changed."""
    return [pool for pool in serving(swarm) if pool != pool_of(swarm)]


def remember(swarm: Swarm, pools: Iterable[Pool]) -> None:
    """Store that these pools, and no others, may hold nodes of the swarm."""
    with transaction.atomic():
        swarm.routed_pools = [[pool.balancer, pool.name] for pool in dict.fromkeys(pools)]
        swarm.save(update_fields=["routed_pools"])
