"""Ports for tests: each test process has a block of its own, which no other process uses.

The blocks lie below the kernel's ephemeral range, where any outgoing connection may take a port
between a test's asking for it and its use.
"""

from __future__ import annotations

import socket
from functools import cache
from itertools import count

from vr.machine.ports import is_free

_FIRST = 20000
_SIZE = 500
_BLOCKS = 25
_given = count()


def free_ports(number: int) -> list[int]:
    """Different ports of loopback that nobody listens on."""
    return [free_port() for _ in range(number)]


def free_port() -> int:
    """A port of loopback that nobody listens on; not given again before all others were."""
    first = _FIRST + block() * _SIZE
    for number in _given:
        port = first + number % _SIZE
        if is_free(port):
            return port
    raise AssertionError("counting has no end")


def port_range(size: int) -> range:
    """Neighbouring ports for a VR_PORT_RANGE."""
    ports = free_ports(size)
    while ports[-1] - ports[0] != size - 1:
        ports = [*ports[1:], free_port()]
    return range(ports[0], ports[-1] + 1)


@cache
def block() -> int:
    """The number of this process's block, below 25: its own until it ends.

    The name of an abstract socket is the lock: the kernel frees it whatever ends the process.
    """
    for number in range(_BLOCKS):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0velociraptor-tests-ports-{number}")
        except OSError:
            lock.close()
        else:
            _locks.append(lock)
            return number
    raise AssertionError("25 test processes run on this machine already")


_locks: list[socket.socket] = []
