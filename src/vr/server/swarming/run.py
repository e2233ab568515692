"""What the steps of one dispatch share: its rows, its hosts, its balancer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from django.conf import settings
from django.db import connection

from vr.balancer.base import Balancer
from vr.hosts.connection import HostConnection
from vr.server.balancers import balancer_named
from vr.server.hosts import connect
from vr.server.jobs.leases import Lease
from vr.server.models import Dispatch, Host, Release, Swarm
from vr.server.swarming.journal import Journal
from vr.specs.names import ProcName

T = TypeVar("T")
R = TypeVar("R")
_PARALLEL = 8


def port_range() -> range:
    """The ports that procs may get, from VR_PORT_RANGE."""
    return settings.PORT_RANGE


class Run:
    """One worker's drive of one dispatch. The rows are read once: edits of the swarm meanwhile
    are for the next dispatch."""

    def __init__(self, dispatch: Dispatch, lease: Lease) -> None:
        self.dispatch = dispatch
        self.lease = lease
        self.journal = Journal(dispatch)
        # By host: ports that turned out to be taken by programs that aren't ours.
        self.foreign_ports: dict[str, frozenset[int]] = defaultdict(frozenset)
        self._connections: dict[str, HostConnection] = {}

    @property
    def swarm(self) -> Swarm:
        return self.dispatch.swarm

    @property
    def release(self) -> Release:
        """The release to run; only called once it is known."""
        release = self.dispatch.release
        assert release is not None
        return release

    @property
    def has_pool(self) -> bool:
        return bool(self.swarm.pool)

    @property
    def listens(self) -> bool:
        """Must the procs accept connections on their port to be ready?"""
        return self.has_pool or self.swarm.proc_name == "web"

    @cached_property
    def squad_hosts(self) -> Mapping[str, Host]:
        return {host.name: host for host in self.swarm.squad.hosts.all()}

    def host(self, name: str) -> HostConnection:
        """A connection to the host of that name; raises HostUnreachable."""
        if name not in self._connections:
            self._connections[name] = connect(name)
        return self._connections[name]

    def balancer(self, name: str = "") -> Balancer:
        """The swarm's balancer, or the one of that name; raises InvalidInput."""
        return balancer_named(name or self.swarm.balancer)

    def proc_name(self, port: int) -> ProcName:
        """The name of the swarm's proc of the wanted release on that port."""
        build = self.release.build
        return ProcName(
            build.app.name,
            build.tag,
            self.swarm.config_name,
            self.release.hash,
            self.swarm.proc_name,
            port,
        )


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """`work` done to all items at once; the first exception is raised when all have ended.

    `work` must not start containers of its own: those would die with the pool's threads.
    """
    todo = list(items)
    if len(todo) <= 1:
        return [work(item) for item in todo]

    def with_own_connection(item: T) -> R:
        try:
            return work(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(min(_PARALLEL, len(todo))) as pool:
        return list(pool.map(with_own_connection, todo))
