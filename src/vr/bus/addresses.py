"""Addresses: what is wrong with a given one, and this machine's own."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_LOOPBACK = "127.0.0.1"
_DEFAULT_NATS_URI = f"nats://{_LOOPBACK}:4222"


def given_nats_uri(env: Mapping[str, str]) -> str:
    """Where commands find the bus unless told: NATS_URI, else a server of this machine."""
    return env.get("NATS_URI") or _DEFAULT_NATS_URI


def nats_uri_problem(uri: str) -> str | None:
    """What is wrong with a `nats_uri`; None if nothing is."""
    return _problem(uri, {"nats", "tls"}, "must be of the form nats://user:password@host:port")


def http_uri_problem(uri: str) -> str | None:
    """What is wrong with an address to fetch from, or to bring to; None if nothing is."""
    return _problem(
        uri, {"http", "https"}, "must be an address that begins with http:// or https://"
    )


def own_address(route: str) -> str:
    """What this machine is for `route`, an address; loopback without one, or without a way."""
    if not route:
        return _LOOPBACK
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((route, 1))  # nothing is sent
            return str(probe.getsockname()[0])
    except OSError:
        return _LOOPBACK


def _problem(uri: str, schemes: Collection[str], expected: str) -> str | None:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        return f"is no address: {error}"
    return None if parts.scheme in schemes and parts.hostname and port != 0 else expected
