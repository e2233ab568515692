"""What a service has to say, in order, also while the bus is away."""

from __future__ import annotations

import asyncio

import nats
from nats.aio.client import Client

_SETTLE_SECONDS = 2.0
"""After a restart of the server others come back, too: what is said to nobody is lost."""


class Outbox:
    """Messages leave in the order of `send`; `connected` is told how the connection is."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._settled = asyncio.Event()
        self._settled.set()
        self._later: asyncio.TimerHandle | None = None

    def send(self, subject: str, payload: bytes) -> None:
        self._queue.put_nowait((subject, payload))

    def connected(self, there: bool) -> None:
        if self._later:
            self._later.cancel()
        if there:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(_SETTLE_SECONDS, self._settled.set)
        else:
            self._settled.clear()

    async def run(self, client: Client) -> None:
        """Send for ever."""
        while True:
            subject, payload = await self._queue.get()
            try:
                await self._publish(client, subject, payload)
            finally:
                self._queue.task_done()

    async def empty(self, client: Client) -> None:
        """Wait until all has left."""
        await self._queue.join()
        await client.flush()

    async def _publish(self, client: Client, subject: str, payload: bytes) -> None:
        while True:
            await self._settled.wait()
            try:
                await client.publish(subject, payload)
            except nats.errors.OutboundBufferLimitError:
                await asyncio.sleep(0.2)
            except nats.errors.MaxPayloadError:
                return  # no attempt will get it through
            else:
                return
