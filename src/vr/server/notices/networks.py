"""Which addresses notices may be sent to: those of the internet, and what the settings allow."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")


def is_permitted(address: str, networks: Iterable[str]) -> bool:
    """Whether the IP address is one of the internet, or lies in one of `networks`.

    So whoever names an address reaches nothing in the server's own networks that he could not
    reach himself.
    """
    found = _embedded(ip_address(address.partition("%")[0]))
    if any(found in ip_network(network) for network in networks):
        return True
    return found.is_global and not found.is_multicast


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that one of IPv6 leads to, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
