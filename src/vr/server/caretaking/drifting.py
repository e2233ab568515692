"""Which nodes a pool has that it should not have, and which it lacks. Pure.

Its invariants, which the property tests hold it to:
- a node that takes requests stays unless another one does that stays, too: no pool is emptied;
- a node of the swarm's that is well, on a host that speaks, is never taken out;
- nothing comes in here: what is missing is tested first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """A proc of what the swarm serves. `node`: its `host:port`. `is_well`: nothing is known
    against it. `is_silent`: nothing is heard of its host."""

    node: str
    is_well: bool
    is_silent: bool


@dataclass(frozen=True)
class Drift:
    """`strange`: nodes that are none of what the swarm serves. `lost`: those of hosts of which
    nothing is heard. `missing`: members that should be routed, and are not."""

    strange: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


def drift(nodes: frozenset[str], members: Iterable[Member]) -> Drift:
    """How the pool's `nodes` differ from what they should be."""
    known = {member.node: member for member in members}
    return Drift(
        strange=nodes - set(known),
        lost=frozenset(node for node in nodes & set(known) if known[node].is_silent),
        missing=frozenset(
            node
            for node, member in known.items()
            if node not in nodes and member.is_well and not member.is_silent
        ),
    )


def left_without(
    nodes: frozenset[str], drifted: Drift, takes_connections: Callable[[str], bool]
) -> frozenset[str] | None:
    """The nodes that stay when the strange and lost ones go; None if all are to stay: none of the
    others takes connections, or there is nothing to take out."""
    left = nodes - drifted.strange - drifted.lost
    if left == nodes or not any(takes_connections(node) for node in sorted(left)):
        return None
    return left
