"""Sensors, and the page from which Prometheus reads them (docs/reference/pilot.md)."""

from __future__ import annotations

import os
import socket

from vr.pilot.futures import Cancelled, TimedOut
from vr.pilot.loop import READ, WRITE
from vr.pilot.metrics import collector, exposition, parse_value
from vr.pilot.ticker import Ticker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from vr.pilot.config import Sensor
    from vr.pilot.world import World

_MAX_CLIENTS = 32
_CLIENT_SECONDS = 10.0
_MAX_REQUEST = 16 * 1024
_MAX_OUTPUT = 64 * 1024
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sensors:
    """The sensors of one configuration with their values."""

    def __init__(self, world: World, sensors: tuple[Sensor, ...]) -> None:
        self._world = world
        self._collectors = [(sensor, collector(sensor.kind)) for sensor in sensors]

    def runs(self) -> list[Coroutine[Any, Any, None]]:
        """A loop for each sensor."""
        return [self._run(index) for index in range(len(self._collectors))]

    def page(self) -> str:
        """All metrics: the sensors' and the pilot's own."""
        now = self._world.loop.time()
        sensors = [
            (sensor.metric, sensor.help, sensor.kind, found.samples(sensor.metric, now))
            for sensor, found in self._collectors
        ]
        return exposition(sensors + self._world.stats.metrics())

    async def _run(self, index: int) -> None:
        sensor, found = self._collectors[index]
        ticker = Ticker(self._world.loop, sensor.poll)
        while True:
            await ticker.wait()
            if self._world.maintenance:
                continue
            output = await self._output(sensor)
            if output is not None:
                try:
                    found.record(parse_value(output), self._world.loop.time())
                except ValueError as error:
                    self._world.log.error(f"{sensor.metric}: {error}", process="sensor")

    async def _output(self, sensor: Sensor) -> bytes | None:
        """What a successful check printed; None if it failed, which has been logged."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        chunks: list[bytes] = []
        reading = self._world.loop.spawn(self._read_all(read, chunks))
        try:
            passed = await self._world.check(
                "sensor", sensor.metric, sensor.check, sensor.timeout, write
            )
        finally:
            reading.cancel()
            os.close(write)
            # Whatever is left in the pipe; a background child may hold its other end for ever.
            chunks.append(_available(read))
            self._world.loop.call_soon(os.close, read)
        return b"".join(chunks)[:_MAX_OUTPUT] if passed else None

    async def _read_all(self, fd: int, chunks: list[bytes]) -> None:
        kept = 0
        while True:
            await self._world.loop.ready(fd, READ)
            data = _available(fd)
            if not data:
                return
            if kept < _MAX_OUTPUT:
                chunks.append(data)
                kept += len(data)


class MetricsServer:
    """Listens at an address; what it shows can be replaced while it does."""

    def __init__(self, world: World, address: str, port: int) -> None:
        """Raises OSError if the port is taken."""
        self.place = (address, port)
        self.sensors: Sensors | None = None
        self._world = world
        self._clients = 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
            self._socket.listen(_MAX_CLIENTS)
        except BaseException:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._task = world.loop.spawn(self._accept())

    def close(self) -> None:
        self._task.cancel()
        self._world.loop.call_soon(self._socket.close)

    async def _accept(self) -> None:
        while True:
            await self._world.loop.ready(self._socket.fileno(), READ)
            try:
                client, _ = self._socket.accept()
            except OSError:
                # Also when descriptors have run out: not to be asked again at once.
                await self._world.loop.sleep(0.05)
                continue
            if self._clients >= _MAX_CLIENTS:
                client.close()
                continue
            client.setblocking(False)
            self._world.loop.spawn(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        self._clients += 1
        try:
            await self._world.loop.within(_CLIENT_SECONDS, self._answer(client))
        except (OSError, TimedOut, Cancelled):
            pass  # whoever asked has gone
        finally:
            self._clients -= 1
            client.close()

    async def _answer(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request and b"\n\n" not in request:
            await self._world.loop.ready(client.fileno(), READ)
            data = client.recv(4096)
            if not data or len(request) > _MAX_REQUEST:
                return
            request += data
        page = self.sensors.page() if self.sensors else ""
        answer = answer_to(request, page)
        while answer:
            await self._world.loop.ready(client.fileno(), WRITE)
            answer = answer[client.send(answer) :]


def answer_to(request: bytes, page: str) -> bytes:
    """The whole answer to an HTTP request's head."""
    words = request.split(b"\r\n")[0].split(b" ")
    method, path = words[0], words[1].split(b"?")[0] if len(words) > 1 else b""
    if path != b"/metrics":
        status, body = "404 Not Found", "404 page not found\n"
    elif method not in (b"GET", b"HEAD"):
        status, body = "405 Method Not Allowed", "only GET\n"
    else:
        status, body = "200 OK", page
    data = body.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {_TYPE}\r\n"
        f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if method == b"HEAD" else data)


def _available(fd: int) -> bytes:
    try:
        return os.read(fd, _MAX_OUTPUT)
    except OSError:
        return b""
