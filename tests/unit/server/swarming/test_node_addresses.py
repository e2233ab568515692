"""Nodes by name and by address."""

from __future__ import annotations

from vr.server.swarming.node_addresses import NodeAddresses

KNOWN = NodeAddresses({"h1": "10.0.0.1", "h2": "fd00::2"})


def test_balancers_are_told_addresses_and_names_of_hosts_without_one() -> None:
    found = KNOWN.for_balancer(["h1:5000", "h2:5001", "h3:5000"])
    assert found == ["10.0.0.1:5000", "[fd00::2]:5001", "h3:5000"]


def test_what_they_tell_is_understood_by_names() -> None:
    told = ["10.0.0.1:5000", "[fd00::2]:5001", "10.9.9.9:80", "h3:5000"]
    assert KNOWN.by_names(told) == ["10.9.9.9:80", "h1:5000", "h2:5001", "h3:5000"]
