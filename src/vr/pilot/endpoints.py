"""Addresses of Consul and etcd as configurations write them (docs/reference/pilot.md)."""

from __future__ import annotations

import re

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]?#@]+))(?::(\d{1,5}))?/?", re.ASCII)


def parse_endpoint(text: str, default_port: int | None) -> tuple[bool, str, int]:
    """(TLS, host, port) of `host:port`, `http://…` or `https://…`; raises ValueError.

    The default port, None for that of the scheme, is taken if there is none.
    """
    secure, address = strip_scheme(text)
    match = _HOST_PORT.fullmatch(address)
    if match is None:
        raise ValueError(text)
    host = match.group(1) or match.group(2)
    port = int(match.group(3) or default_port or (443 if secure else 80))
    if not 0 < port < 65536:
        raise ValueError(text)
    return secure, host, port


def strip_scheme(text: str) -> tuple[bool, str]:
    """Whether it is TLS, and the rest; only one scheme is taken off."""
    if text.startswith("https://"):
        return True, text[len("https://") :]
    if text.startswith("http://"):
        return False, text[len("http://") :]
    return False, text
