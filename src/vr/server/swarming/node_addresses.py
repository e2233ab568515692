"""Nodes by their hosts' names, as we speak of them, and by addresses, as balancers connect.

A host without an address is connected to by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vr.server.models import Host


@dataclass(frozen=True)
class NodeAddresses:
    """The addresses of hosts by their names."""

    by_name: Mapping[str, str]

    @classmethod
    def now(cls) -> NodeAddresses:
        """As the database has them."""
        return cls(dict(Host.objects.exclude(address="").values_list("name", "address")))

    def for_balancer(self, nodes: Iterable[str]) -> list[str]:
        """Nodes `name:port` as `address:port`, sorted."""
        return sorted(_with_host(node, self.by_name) for node in nodes)

    def by_names(self, nodes: Iterable[str]) -> list[str]:
        """Nodes of a balancer by their hosts' names, sorted; what isn't known stays as it is."""
        names = {_bracketed(address): name for name, address in self.by_name.items()}
        return sorted(_with_host(node, names) for node in nodes)


def _with_host(node: str, hosts: Mapping[str, str]) -> str:
    host, colon, port = node.rpartition(":")
    return f"{_bracketed(hosts[host])}{colon}{port}" if host in hosts else node


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
