"""The kernel's table of TCP sockets, read. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_LISTEN = "0A"


def listening_ports(tables: Iterable[str]) -> frozenset[int]:
    """The ports listened on, from the texts of /proc/net/tcp and /proc/net/tcp6."""
    found = set()
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 3 and fields[3] == _LISTEN:
                found.add(int(fields[1].rpartition(":")[2], 16))
    return frozenset(found)
