"""A single proc out of its pools before it is stopped, and back into them when it has proved
itself; and when the port of one that is gone is free."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from django.conf import settings
from django.db import transaction

from vr.balancer.base import PoolChanged
from vr.errors import VelociraptorError
from vr.hosts.connection import HostConnection
from vr.hosts.supervisor import HostUnreachable
from vr.server.hosts import connect
from vr.server.models import PortLease, Swarm
from vr.server.procs import ports
from vr.server.swarming import pools, proc_uptests
from vr.server.swarming.asking import dispatch_with_procs
from vr.server.swarming.pools import Pool
from vr.server.uptests.results import describe_failures, have_passed
from vr.specs.names import ProcName

Nodes = frozenset[str]
# From a pool's nodes and backups to what they are to be; None: they can't be that now.
Wanted = tuple[Nodes, Nodes] | None
Made = Callable[[Nodes, Nodes], Wanted]

_POLL_SECONDS = 0.05


def take_out(swarm: Swarm, host: str, port: int, *, last_too: bool) -> list[Pool]:
    """Take a proc out of every pool that may route to it, and wait until requests to it have
    ended, for VR_DRAIN_SECONDS at most; returns the pools that had it as a node.

    Unless `last_too`, the last node that takes connections stays until another one does, for
    VR_START_SECONDS at most. Raises VelociraptorError then, and if a balancer doesn't answer or
    refuses: the pool has the proc as before, or will not miss it.
    """
    node = f"{host}:{port}"
    left: list[Pool] = []
    for pool in _set_up(pools.remembered(swarm)):
        nodes, backups = _known(pool)
        if node not in nodes | backups:
            continue
        if node in nodes:
            left.append(pool)
        _remove(pool, node, last_too=last_too)
        pool.wait_drained(settings.DRAIN_SECONDS)
    return left


def step_aside(swarm: Swarm, host: str, port: int) -> None:
    """Take a proc that is not to be trusted out of its pools, except where no other node takes
    connections: a pool is never emptied for that. Waits for nothing.

    Raises VelociraptorError if a balancer doesn't answer or refuses.
    """
    node = f"{host}:{port}"
    for pool in _set_up(pools.remembered(swarm)):
        nodes, backups = _known(pool)
        if node in nodes | backups:
            change(pool, _without(node, last_too=False))


def step_back(swarm: Swarm, host: str, name: ProcName) -> None:
    """The way back of `step_aside`, for a proc that has passed its uptests since.

    Raises VelociraptorError if a balancer doesn't answer or refuses."""
    _route(swarm, f"{host}:{name.port}", pools_for(swarm, name))


def put_back(swarm: Swarm, connection: HostConnection, name: ProcName, to: Sequence[Pool]) -> None:
    """Route the proc again once its port takes connections and it has passed its uptests.

    Raises VelociraptorError if it doesn't; it stays unrouted then. A dispatch that deals with
    procs meanwhile routes what it has tested itself.
    """
    if to:
        _prove(swarm, connection, name, listens=True)
        _route(swarm, f"{connection.name}:{name.port}", to)


def prove_and_put_back(swarm: Swarm, connection: HostConnection, name: ProcName) -> None:
    """The same for a proc that came back by itself: it is tested, be it routed or not, and then
    routed if its swarm is.

    Raises VelociraptorError if it doesn't pass; its pools are as they were then.
    """
    to = pools_for(swarm, name)
    _prove(swarm, connection, name, listens=bool(to) or name.proc == "web")
    _route(swarm, f"{connection.name}:{name.port}", to)


def pools_for(swarm: Swarm, name: ProcName) -> list[Pool]:
    """The pools that a proc of the swarm belongs into when it is ready and tested: none, unless
    it runs the release that serves."""
    release = swarm.release
    if release is None or name.hash != release.hash or not name.port:
        return []
    return _set_up(pools.serving(swarm))


def give_back(
    host: str, procs: Collection[str], *, tell: Callable[[Collection[str]], object] | None = None
) -> None:
    """End the leases of procs that are gone from `host`. A port that a pool still knows is not
    free: the next proc there would answer under another's name. `tell` announces those whose
    leases end, with their ends.

    Raises VelociraptorError naming the ports that stay leased for that, or because a balancer
    doesn't tell.
    """
    leases = PortLease.objects.filter(host__name=host, proc__in=procs).select_related("swarm__app")
    kept = {lease.proc: why for lease in leases if (why := why_not_free(lease, host))}
    gone = set(procs) - set(kept)
    with transaction.atomic():
        ports.give_back(host, gone)
        if tell is not None and gone:
            tell(gone)
    if kept:
        raise VelociraptorError(
            " ".join(sorted(set(kept.values()))),
            hint="The next dispatch of the swarm tries again.",
        )


def why_not_free(lease: PortLease, host: str) -> str:
    """A sentence that says which pool still knows the leased port, or may; empty if none does."""
    swarm, node = lease.swarm, f"{host}:{lease.port}"
    for pool in _set_up(pools.remembered(swarm)) if swarm else []:
        nodes = pool.nodes()
        if nodes is None:
            return (
                f"The port {lease.port} of {host} stays leased: the balancer {pool.balancer} does "
                f"not tell whether the pool {pool.name} still routes to it."
            )
        if node in nodes | pool.backups():
            return (
                f"The port {lease.port} of {host} stays leased: the pool {pool.name} of "
                f"{pool.balancer} still routes to it."
            )
    return ""


def _set_up(remembered: Sequence[Pool]) -> list[Pool]:
    """Those whose balancer is there: nobody can ask another."""
    return [pool for pool in remembered if pool.balancer in settings.BALANCERS]


def _known(pool: Pool) -> tuple[Nodes, Nodes]:
    nodes = pool.nodes()
    if nodes is None:
        raise VelociraptorError(
            f"The balancer {pool.balancer!r} does not tell what the pool {pool.name!r} holds, so "
            "the proc was left as it is.",
            hint="Look whether the balancer can be reached, then try again.",
        )
    return nodes, pool.backups()


def _remove(pool: Pool, node: str, *, last_too: bool) -> None:
    deadline = time.monotonic() + settings.START_SECONDS
    while not change(pool, _without(node, last_too=last_too)):
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"{node} is the only node of the pool {pool.name} that takes connections, and no "
                f"other came within {settings.START_SECONDS:.0f} s; the proc runs on.",
                hint="Start the others first, or stop this one and start it again.",
            )
        time.sleep(_POLL_SECONDS)


def _without(node: str, *, last_too: bool) -> Made:
    def made(nodes: Nodes, backups: Nodes) -> Wanted:
        others = nodes - {node}
        may_go = last_too or node not in nodes or any(map(takes_connections, others))
        return (others, backups - {node}) if may_go else None

    return made


def change(pool: Pool, made_of: Made) -> bool:
    """Make the pool's nodes and backups what `made_of` makes of them, whoever else changes the
    pool meanwhile. False, with nothing changed, if it makes None."""
    while True:
        nodes, backups = _known(pool)
        wanted = made_of(nodes, backups)
        if wanted is None:
            return False
        try:
            pool.set_nodes(*wanted, expected=nodes)
            return True
        except PoolChanged:
            time.sleep(_POLL_SECONDS)


def takes_connections(node: str) -> bool:
    """Does the node (`host:port`) accept connections now? False for one that can't be asked."""
    host, _, port = node.rpartition(":")
    try:
        return connect(host).accepts(int(port))
    except HostUnreachable:
        return False


def _prove(swarm: Swarm, connection: HostConnection, name: ProcName, *, listens: bool) -> None:
    if listens:
        _wait_until_it_listens(connection, name)
    _test(swarm, connection, name)


def _route(swarm: Swarm, node: str, to: Sequence[Pool]) -> None:
    def with_it(nodes: Nodes, backups: Nodes) -> Wanted:
        is_there = node in nodes and node not in backups
        return None if is_there else (nodes | {node}, backups - {node})

    if dispatch_with_procs(swarm):
        return
    for pool in to:
        change(pool, with_it)


def _wait_until_it_listens(connection: HostConnection, name: ProcName) -> None:
    deadline = time.monotonic() + settings.START_SECONDS
    while not connection.accepts(name.port):
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"{name} takes no connections {settings.START_SECONDS:.0f} s after its start, "
                "so nothing is routed to it.",
                hint="Look into its log; the next dispatch of its swarm routes what is ready.",
            )
        time.sleep(_POLL_SECONDS)


def _test(swarm: Swarm, connection: HostConnection, name: ProcName) -> None:
    results = proc_uptests.run(swarm, connection, name)
    if not have_passed(results):
        raise VelociraptorError(
            f"The uptests of {name} failed after its start, so nothing is routed to it.",
            hint="The next dispatch of its swarm routes what is ready.",
            details=describe_failures(results),
        )
