"""Ports for apps: free when handed out, and no two alike."""

from __future__ import annotations

import socket
import threading

_CONNECT_SECONDS = 0.25


class Ports:
    """Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def take(self) -> int:
        """A port that nobody listens on now. Somebody else may still be faster: see `usable`."""
        with self._lock:
            while True:
                with socket.socket() as probe:
                    probe.bind(("0.0.0.0", 0))
                    port = int(probe.getsockname()[1])
                if port not in self._taken:
                    self._taken.add(port)
                    return port

    def release(self, port: int) -> None:
        with self._lock:
            self._taken.discard(port)


def usable(port: int) -> bool:
    """Whether one can listen on the port right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether somebody on this host answers on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False
