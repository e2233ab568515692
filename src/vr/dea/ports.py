"""Ports for apps: free when handed out, and no two alike."""

from __future__ import annotations

import socket
import threading


class Ports:
    """Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def take(self) -> int:
        """A port that nobody listens on now. Somebody else may still be faster."""
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
