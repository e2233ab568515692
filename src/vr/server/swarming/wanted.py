"""Procs as the steps get them: where each is, what it is called, and the way to its host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vr.hosts.connection import HostConnection
from vr.server.swarming.plan_types import Node
from vr.specs.names import ProcName


@dataclass(frozen=True)
class WantedProc:
    """A proc of the release that the dispatch wants, there already or not."""

    node: Node
    name: ProcName
    host: HostConnection

    def __str__(self) -> str:
        return str(self.name)


@dataclass(frozen=True)
class HostProcs:
    """Procs that are to leave one host, by their full names."""

    host: HostConnection
    names: tuple[str, ...]


def by_host(procs: Iterable[WantedProc]) -> list[Sequence[WantedProc]]:
    """The procs of each host together, hosts in the order of their names."""
    groups: dict[str, list[WantedProc]] = defaultdict(list)
    for proc in procs:
        groups[proc.node.host].append(proc)
    return [groups[name] for name in sorted(groups)]
