"""TCP ports of this machine: free to listen on, or answered by somebody.

Whether a port is free is found by trying to bind it: that costs microseconds, where the kernel's
list of sockets is slow on a busy machine, and it sees listeners whose queue is full, too, which
connecting does not.
"""

from __future__ import annotations

import errno
import socket

_ANY = ("0.0.0.0", "::")


def is_free(port: int) -> bool:
    """Whether nobody listens on the port, at any address of IPv4 or IPv6.

    Somebody may be faster than the caller. What else keeps this process from listening (rights,
    no IPv6) is not the port's fault: see `listen_error`.
    """
    errors = (listen_error(address, port) for address in _ANY)
    return not any(error and error.errno == errno.EADDRINUSE for error in errors)


def listen_error(address: str, port: int) -> OSError | None:
    """Why this process could not listen at an address of this machine; None if it could."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Connections of an earlier run that linger don't count as taken, listeners do.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        return error
    return None


def answers(port: int, host: str = "127.0.0.1", *, seconds: float = 1.0) -> bool:
    """Whether somebody accepts connections there, within `seconds`."""
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError:
        return False
    return True
