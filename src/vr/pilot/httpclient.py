"""HTTP requests to one server over a few kept connections, on the loop.

One client per server, closed when it is replaced: the original left connections open at every
reload until Consul shut it out.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from typing import NamedTuple

from vr.pilot.durations import go_duration
from vr.pilot.errors import DiscoveryError
from vr.pilot.futures import Cancelled, Future, TimedOut
from vr.pilot.httpwire import BadResponse, Response, ResponseParser, render_request
from vr.pilot.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

    from vr.pilot.loop import Loop
    from vr.pilot.resolver import Resolver

MAX_CONNECTIONS = 4


class Server(NamedTuple):
    """Where to connect; `secure` means TLS."""

    secure: bool
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class HttpError(DiscoveryError):
    """No answer. `unreachable`: no request was received, another server may be tried."""

    def __init__(self, message: str, unreachable: bool) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class HttpClient:
    """Requests wait for each other when all connections are in use."""

    def __init__(
        self,
        loop: Loop,
        resolver: Resolver,
        server: Server,
        tls: ssl.SSLContext | None = None,
        server_name: str = "",
        timeout: float = 5.0,
    ) -> None:
        self._loop = loop
        self._resolver = resolver
        self._server = server
        self._tls = tls
        self._server_name = server_name or server.host
        self._timeout = timeout
        self._idle: list[_Connection] = []
        self._in_use = 0
        self._queue: deque[Future[None]] = deque()
        self._closed = False

    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Response:
        """The answer, whatever its status; raises HttpError."""
        data = render_request(method, target, str(self._server), headers, body)
        try:
            return await self._loop.within(self._timeout, self._exchange(data))
        except TimedOut:
            raise HttpError(
                f"{self._server}: no answer within {go_duration(self._timeout)}", False
            ) from None

    async def _exchange(self, data: bytes) -> Response:
        await self._take_turn()
        try:
            # A kept connection may have been closed by the server meanwhile: that is no failure.
            while self._idle:
                response = await self._use(self._idle.pop(), data, kept=True)
                if response is not None:
                    return response
            response = await self._use(await self._connect(), data, kept=False)
            assert response is not None
            return response
        finally:
            self._in_use -= 1
            if self._queue:
                self._queue.popleft().set_result(None)

    async def _take_turn(self) -> None:
        while self._in_use >= MAX_CONNECTIONS:
            turn: Future[None] = Future(self._loop)
            self._queue.append(turn)
            try:
                await turn
            except Cancelled:
                if turn.done and self._queue:
                    self._queue.popleft().set_result(None)
                elif not turn.done:
                    self._queue.remove(turn)
                raise
        self._in_use += 1

    async def _use(self, connection: _Connection, data: bytes, kept: bool) -> Response | None:
        """None: a kept connection turned out to be closed before it answered."""
        parser = ResponseParser()
        good = False
        try:
            await connection.send(data)
            response = None
            while response is None:
                received = await connection.receive()
                response = parser.feed(received) if received else parser.end()
            good = response.reusable and not self._closed
            return response
        except (OSError, BadResponse) as error:
            if kept and not parser.started:
                return None
            raise HttpError(f"{self._server}: {_reason(error)}", False) from None
        finally:
            if good:
                self._idle.append(connection)
            else:
                connection.close()

    async def _connect(self) -> _Connection:
        reason: Exception = OSError("the name has no address")
        try:
            for family, address in await self._resolver.addresses(
                self._server.host, self._server.port
            ):
                try:
                    return await _Connection.open(
                        self._loop, family, address, self._tls, self._server_name
                    )
                except OSError as error:
                    reason = error
        except OSError as error:
            reason = error
        raise HttpError(f"dial tcp {self._server}: {_reason(reason)}", True) from None

    def close(self) -> None:
        """Close what is idle; connections in use close after their answer."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class _Connection:
    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self._loop = loop
        self._sock = sock
        self._secure = False

    @classmethod
    async def open(
        cls, loop: Loop, family: int, address: object, tls: ssl.SSLContext | None, name: str
    ) -> _Connection:
        connection = cls(loop, socket.socket(family, socket.SOCK_STREAM))
        try:
            await connection._connect(address)
            if tls is not None:
                await connection._secure_with(tls, name)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _connect(self, address: object) -> None:
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._sock.connect(address)  # type: ignore[arg-type]
        except BlockingIOError:
            await self._loop.ready(self._sock.fileno(), WRITE)
            code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code)) from None

    async def _secure_with(self, tls: ssl.SSLContext, name: str) -> None:
        wrapped = tls.wrap_socket(self._sock, server_hostname=name, do_handshake_on_connect=False)
        self._sock, self._secure = wrapped, True
        await self._when_ready(wrapped.do_handshake, WRITE)

    async def send(self, data: bytes) -> None:
        while data:
            sent = await self._when_ready(lambda: self._sock.send(data), WRITE)  # noqa: B023
            data = data[sent:]

    async def receive(self) -> bytes:
        received: bytes = await self._when_ready(lambda: self._sock.recv(65536), READ)
        return received

    async def _when_ready(self, act: Any, events: int) -> Any:
        """Do it, as soon as the socket lets it; TLS may have to write in order to read."""
        while True:
            try:
                return act()
            except BlockingIOError:
                await self._loop.ready(self._sock.fileno(), events)
            except OSError as error:
                wanted = _tls_wants(error) if self._secure else None
                if wanted is None:
                    raise
                await self._loop.ready(self._sock.fileno(), wanted)

    def close(self) -> None:
        self._sock.close()


def _tls_wants(error: OSError) -> int | None:
    import ssl

    if isinstance(error, ssl.SSLWantReadError):
        return READ
    if isinstance(error, ssl.SSLWantWriteError):
        return WRITE
    return None


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
