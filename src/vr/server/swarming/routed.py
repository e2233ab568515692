"""A single proc out of its pools before it is stopped, and back into them when it is ready."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings

from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.server.balancers import balancer_named
from vr.server.models import Host, Swarm
from vr.server.procs import ownership
from vr.specs.names import ProcName

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Place:
    """A node of a pool."""

    balancer: str
    pool: str
    node: str
    port: int


def take_out(host: Host, proc: str) -> list[Place]:
    """Take the proc out of every pool that may route to it, and wait until requests to it have
    ended, for VR_DRAIN_SECONDS at most; returns the pools that had it as a node.

    Raises VelociraptorError if a balancer doesn't answer or refuses: the proc then runs on.
    """
    name = ProcName.parse(proc)
    owner = ownership.read_claims(host.name).owner(host.name, proc)
    if name is None or not name.port or not isinstance(owner, int):
        return []
    node = f"{host.name}:{name.port}"
    swarm = Swarm.objects.get(pk=owner)
    pools = {(balancer, pool) for balancer, pool in swarm.routed_pools}
    left: list[Place] = []
    for balancer_name, pool in sorted(pools):
        if balancer_name not in settings.BALANCERS:
            continue
        balancer = balancer_named(balancer_name)
        is_node = node in balancer.get_nodes(pool)
        if is_node or node in balancer.get_backups(pool):
            balancer.delete_nodes(pool, [node])
            balancer.wait_drained(settings.DRAIN_SECONDS)
        if is_node:
            left.append(Place(balancer_name, pool, node, name.port))
    return left


def put_back(connection: HostConnection, proc: str, places: list[Place]) -> None:
    """Route the proc again once its port takes connections.

    Raises VelociraptorError if it doesn't within VR_START_SECONDS; it stays unrouted then.
    """
    deadline = time.monotonic() + settings.START_SECONDS
    while not all(connection.accepts(place.port) for place in places):
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"{proc} takes no connections {settings.START_SECONDS:.0f} s after its restart, "
                "so nothing is routed to it.",
                hint="Look into its log; the next dispatch of its swarm routes what is ready.",
            )
        time.sleep(_POLL_SECONDS)
    for place in places:
        balancer_named(place.balancer).add_nodes(place.pool, [place.node])
