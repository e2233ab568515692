"""The servers of an etcd cluster: on a failure to connect the next one is asked."""

from __future__ import annotations

from vr.pilot.httpclient import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vr.pilot.httpclient import HttpClient
    from vr.pilot.httpwire import Response


class EtcdServers:
    def __init__(self, clients: Sequence[HttpClient]) -> None:
        self._clients = list(clients)
        self._current = 0

    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """The answer of the first server that can be reached; stays with that one."""
        for remaining in range(len(self._clients), 0, -1):
            asked = self._current
            try:
                return await self._clients[asked].request(method, target, headers, body)
            except HttpError:
                # Only if no other request has moved on meanwhile. Every request may be repeated,
                # so a server that hangs is left as well.
                if self._current == asked:
                    self._current = (asked + 1) % len(self._clients)
                if remaining == 1:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        for client in self._clients:
            client.close()
