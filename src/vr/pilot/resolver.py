"""Host names to addresses without holding up the loop.

The C library's resolver blocks, for many seconds when a name server is away, so a name is looked
up in a thread that lives no longer than the look-up. At most one per name runs at a time.
"""

from __future__ import annotations

import _thread
import socket

from vr.pilot.futures import Future

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.loop import Loop

    # (family, socket address) as connect takes it.
    Address = tuple[int, Any]


class Resolver:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._under_way: dict[tuple[str, int], Future[list[Address]]] = {}

    async def addresses(self, host: str, port: int) -> list[Address]:
        """All addresses of a host; raises OSError if it has none."""
        try:
            return _look_up(host, port, socket.AI_NUMERICHOST)
        except OSError:
            pass
        key = (host, port)
        future = self._under_way.get(key)
        if future is None:
            future = self._under_way[key] = Future(self._loop)
            _thread.start_new_thread(self._in_thread, (key, future))
        return await future

    def _in_thread(self, key: tuple[str, int], future: Future[list[Address]]) -> None:
        found: list[Address] = []
        error: Exception | None = None
        try:
            found = _look_up(*key, 0)
        except Exception as caught:
            error = caught

        def tell() -> None:
            del self._under_way[key]
            future.watched = True
            if error is not None:
                future.set_error(error)
            else:
                future.set_result(found)

        self._loop.call_from_thread(tell)


def _look_up(host: str, port: int, flags: int) -> list[Address]:
    # As bytes: a string would import the idna codec and its tables.
    name = host.encode("ascii", "replace")
    found = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM, 0, flags)
    return [(family, address) for family, _, _, _, address in found]
