"""What every balancer offers (docs/reference/balancer.md#interface)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vr.errors import InvalidInput, VelociraptorError
from vr.specs.passing import Passing

_POOL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_NODE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")


class PoolChanged(VelociraptorError):
    """The pool isn't any more what the caller expected it to be; nothing was changed."""


@dataclass(frozen=True)
class Change:
    """What `set_nodes` did to a pool, sorted."""

    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(node for node in self.after if node not in self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(node for node in self.before if node not in self.after)


class Balancer(ABC):
    """A load balancer's pools. Nodes are `"host:port"`.

    A backend implements the first three methods; the others then work, without being atomic.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """`config` is the balancer's entry in BALANCERS, without BACKEND."""
        self.config = config

    @property
    def knows_passing(self) -> bool:
        """Can a pool have times and sizes of its own?"""
        return False

    @abstractmethod
    def get_nodes(self, pool: str) -> list[str]:
        """The pool's nodes, sorted; [] for an unknown pool."""

    @abstractmethod
    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        """Add nodes to the pool, which is made if it isn't there."""

    @abstractmethod
    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        """Remove nodes; a missing pool or node is fine."""

    def delete_pool(self, pool: str) -> None:
        """Remove the pool, whatever is in it; a missing one is fine."""
        self.delete_nodes(pool, self.get_nodes(pool))

    def delete_pool_if_empty(self, pool: str) -> None:
        """Remove the pool if it has no nodes."""
        if not self.get_nodes(pool):
            self.delete_pool(pool)

    def get_backups(self, pool: str) -> list[str]:
        """The pool's backup nodes, sorted; [] for balancers that have no such thing."""
        return []

    def set_nodes(
        self,
        pool: str,
        nodes: Collection[str],
        *,
        backups: Collection[str] = (),
        expected: Collection[str] | None = None,
        passing: Passing | None = None,
    ) -> Change:
        """Make the pool exactly `nodes`; none removes it. When this returns, no new connection
        goes to a removed node.

        `backups` get requests only while none of `nodes` takes connections; a balancer that has
        no such thing leaves them out. `passing` says how requests are passed on from now on (None:
        as before), to a balancer that `knows_passing`.

        Raises PoolChanged, changing nothing, if `expected` is given and isn't what is there;
        VelociraptorError if the balancer refuses, with everything as it was before.
        """
        before = sorted(self.get_nodes(pool))
        check_expected(pool, before, expected)
        change = Change(tuple(before), tuple(sorted(set(nodes))))
        # Lists, as the manual promises to those who write a balancer.
        if change.added:
            self.add_nodes(pool, list(change.added))
        if change.removed:
            self.delete_nodes(pool, list(change.removed))
        self.delete_pool_if_empty(pool)
        return change

    def address(self, pool: str) -> str:
        """The URL at which the pool answers once it is routed, if this balancer gives every pool
        one; else empty. Talks to nobody: pages ask for it."""
        return ""

    def wait_drained(self, timeout: float) -> bool:
        """Wait until requests that began before the last change have ended.

        At most `timeout` seconds; returns whether they have. Balancers that can't tell say yes.
        """
        return True


def check_expected(pool: str, nodes: Collection[str], expected: Collection[str] | None) -> None:
    """Raise PoolChanged if `expected` is given and differs from `nodes`."""
    if expected is not None and set(expected) != set(nodes):
        raise PoolChanged(
            f"The pool {pool!r} holds {', '.join(sorted(nodes)) or 'no nodes'}, "
            f"but {', '.join(sorted(expected)) or 'none'} were expected.",
            hint="Somebody else changed it; look again and repeat.",
        )


def check_names(pool: str, nodes: Collection[str] = ()) -> None:
    """Raise InvalidInput unless these can be written into a balancer's configuration."""
    problems = []
    if not _POOL.fullmatch(pool):
        problems.append(
            f"pool: {pool!r} must be letters, digits, '_' and '-', beginning and ending with a "
            "letter or digit"
        )
    problems += [
        f"node: {node!r} is not of the form host:port"
        for node in sorted(nodes)
        if not _NODE.fullmatch(node)
    ]
    if problems:
        raise InvalidInput("balancer", problems)
