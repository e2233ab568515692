"""A balancer that stands on one or more machines, which all hold the same pools.

A change is made on all of them or on none; where that can't be had, the error tells which
machines differ.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from vr.balancer.base import Balancer, Change, check_expected, check_names
from vr.errors import VelociraptorError
from vr.specs.passing import Passing


class PoolHost(Protocol):
    """The pools as one machine has them."""

    name: str

    def lock(self, pool: str) -> AbstractContextManager[object]:
        """Keep others from changing the pool on this machine."""
        ...

    def nodes(self, pool: str) -> list[str]:
        """The pool's nodes, sorted; [] for an unknown pool."""
        ...

    def backups(self, pool: str) -> list[str]:
        """The pool's backup nodes, sorted."""
        ...

    def passing(self, pool: str) -> Passing:
        """How its requests are passed on."""
        ...

    def put(
        self,
        pool: str,
        nodes: Collection[str],
        backups: Collection[str] = (),
        passing: Passing | None = None,
    ) -> None:
        """Make the pool exactly `nodes`, with these backups, its requests passed on so (None: as
        before); no nodes remove it. The caller holds the pool's lock.

        Raises VelociraptorError if the machine refuses, with the pool as it was.
        """
        ...

    def wait_drained(self, timeout: float) -> bool:
        """As Balancer.wait_drained."""
        ...


class HostsBalancer(Balancer):
    """What balancers have in common that are set up on hosts.

    A backend's class is made with its settings and a HostConnection for each of their `hosts`,
    and makes a PoolHost of each.
    """

    def __init__(self, config: Mapping[str, Any], hosts: Sequence[PoolHost]) -> None:
        super().__init__(config)
        # One order for everybody, so that no two wait for each other's locks.
        self._hosts = sorted(hosts, key=lambda host: host.name)

    def nodes_by_host(self, pool: str) -> dict[str, list[str]]:
        """The pool's nodes on each machine; they are the same unless something went wrong."""
        check_names(pool)
        return {host.name: host.nodes(pool) for host in self._hosts}

    def get_nodes(self, pool: str) -> list[str]:
        """The nodes that any of the machines routes to."""
        return sorted({node for nodes in self.nodes_by_host(pool).values() for node in nodes})

    def get_backups(self, pool: str) -> list[str]:
        """The backup nodes that any of the machines knows."""
        check_names(pool)
        return sorted({node for host in self._hosts for node in host.backups(pool)})

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        with self._locks(pool):
            self._make(pool, {*self.get_nodes(pool), *nodes}, self.get_backups(pool))

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        with self._locks(pool):
            gone = set(nodes)
            backups = set(self.get_backups(pool)) - gone
            self._make(pool, set(self.get_nodes(pool)) - gone, backups)

    def delete_pool(self, pool: str) -> None:
        self.set_nodes(pool, [])

    def set_nodes(
        self,
        pool: str,
        nodes: Collection[str],
        *,
        backups: Collection[str] = (),
        expected: Collection[str] | None = None,
        passing: Passing | None = None,
    ) -> Change:
        with self._locks(pool):
            before = self.get_nodes(pool)
            check_expected(pool, before, expected)
            self._make(pool, nodes, backups, passing)
            return Change(tuple(before), tuple(sorted(set(nodes))))

    def wait_drained(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        drained = [host.wait_drained(max(0, deadline - time.monotonic())) for host in self._hosts]
        return all(drained)

    def _make(
        self,
        pool: str,
        nodes: Collection[str],
        backups: Collection[str],
        passing: Passing | None = None,
    ) -> None:
        """Bring all machines to `nodes`, or all back; the pool's locks are held."""
        backups = set(backups) - set(nodes)
        check_names(pool, {*nodes, *backups})
        before = {
            host.name: (host.nodes(pool), host.backups(pool), host.passing(pool))
            for host in self._hosts
        }
        done: list[PoolHost] = []
        try:
            for host in self._hosts:
                host.put(pool, nodes, backups, passing)
                done.append(host)
        except VelociraptorError as error:
            if left := _take_back(pool, done, before):
                raise VelociraptorError(
                    f"{error.message} {', '.join(left)} had the change by then and could not be "
                    f"brought back, so the pool {pool!r} differs there.",
                    hint=error.hint,
                    details=error.details,
                ) from error
            raise

    def _locks(self, pool: str) -> ExitStack:
        check_names(pool)
        with ExitStack() as locks:
            for host in self._hosts:
                locks.enter_context(host.lock(pool))
            return locks.pop_all()


def _take_back(
    pool: str,
    hosts: Sequence[PoolHost],
    before: Mapping[str, tuple[list[str], list[str], Passing]],
) -> list[str]:
    """Give each machine its former nodes; returns the names of those where that failed."""
    left = []
    for host in reversed(hosts):
        try:
            host.put(pool, *before[host.name])
        except VelociraptorError:
            left.append(host.name)
    return sorted(left)
