"""The address under which others on the network reach this machine."""

from __future__ import annotations

import socket

_LOOPBACK = "127.0.0.1"


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
