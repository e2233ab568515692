"""The connections to hosts that this process keeps, for all of its threads.

One event loop in one thread serves them. A host that could not be reached is not tried again for
a moment: whoever asks meanwhile hears the same at once, so that a dead host costs nobody time.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vr.hosts.remote.address import SshAddress
from vr.hosts.remote.channel import Channel
from vr.hosts.supervisor import HostUnreachable

T = TypeVar("T")

IDLE_SECONDS = 60.0
_SWEEP_SECONDS = 10.0
# How long a failed connection counts, doubled with each failure up to the second.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
# New connections under way at once, over all hosts: each costs both sides a key exchange.
_OPENING = 16
# Longer than all attempts to connect, behind those of others.
_CONNECTED_SECONDS = 90.0
_END_SECONDS = 10.0


class _Link:
    """One host: its channel, opened by the first of those who need it."""

    def __init__(self, to: SshAddress, opening: asyncio.Semaphore) -> None:
        self._to = to
        self._opening = opening
        self._lock = asyncio.Lock()
        self._channel: Channel | None = None
        self._failed: HostUnreachable | None = None
        self._pause = 0.0
        self._not_before = 0.0
        self.used = time.monotonic()

    async def channel(self) -> Channel:
        self.used = time.monotonic()
        if self._channel is not None and self._channel.is_open:
            return self._channel
        async with self._lock:
            if self._channel is not None and self._channel.is_open:
                return self._channel
            if self._failed is not None and time.monotonic() < self._not_before:
                raise self._failed
            try:
                async with self._opening:
                    self._channel = await Channel.open(self._to)
            except HostUnreachable as error:
                self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
                self._failed, self._not_before = error, time.monotonic() + self._pause
                raise
            self._failed, self._pause = None, 0.0
            return self._channel

    def close(self, *, only_idle: bool = False) -> None:
        """Close the channel if there is one; `only_idle`: and if nobody uses it."""
        channel = self._channel
        if channel is None:
            return
        is_idle = channel.is_idle and time.monotonic() - self.used > IDLE_SECONDS
        if is_idle or not only_idle or not channel.is_open:
            self._channel = None
            channel.close()


class Links:
    """Kept connections, by address."""

    def __init__(self) -> None:
        self._links: dict[SshAddress, _Link] = {}
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner = 0
        self._opening = asyncio.Semaphore(_OPENING)

    def call(
        self, to: SshAddress, method: str, arguments: list[Any], seconds: float
    ) -> tuple[Any, Channel]:
        """What the method of the host's service returns, and over which channel it was asked.

        Raises HostUnreachable, or the host's own VelociraptorError.
        """
        return self.run(to, self._call(to, method, arguments, seconds), seconds)

    def call_on(
        self, channel: Channel, to: SshAddress, method: str, arguments: list[Any], seconds: float
    ) -> Any:
        """The same over that very channel: for what the host holds for it alone."""
        return self.run(to, channel.call(method, arguments, seconds), seconds)

    def version(self, to: SshAddress) -> str:
        """The version of the host's service; raises HostUnreachable."""
        return self.run(to, self._channel(to), 0).version

    def forget(self, to: SshAddress) -> None:
        """Close the connection to a host, if there is one, and what was known of it."""
        self.soon(self._forget, to)

    def run(self, to: SshAddress, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """What the work comes to, done in the thread of the connections; it takes `seconds` at
        most by itself, and a while to connect."""
        task = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            # The work bounds itself; this is for a loop that doesn't get to it.
            return task.result(seconds + _CONNECTED_SECONDS)
        except TimeoutError:
            task.cancel()
            raise HostUnreachable(f"{to.name} has not answered in time.") from None

    def soon(self, work: Callable[..., object], *arguments: Any) -> None:
        """Let the thread of the connections do this, if there is one."""
        loop = self._loop
        if loop is not None and self._owner == os.getpid():
            loop.call_soon_threadsafe(work, *arguments)

    def close(self) -> None:
        """Close all connections and end the thread."""
        with self._starting:
            loop, self._loop = self._loop, None
            if loop is None or self._owner != os.getpid():
                return
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(_END_SECONDS)
            loop.call_soon_threadsafe(loop.stop)

    async def _call(
        self, to: SshAddress, method: str, arguments: list[Any], seconds: float
    ) -> tuple[Any, Channel]:
        channel = await self._channel(to)
        return await channel.call(method, arguments, seconds), channel

    async def _channel(self, to: SshAddress) -> Channel:
        link = self._links.get(to)
        if link is None:
            link = self._links[to] = _Link(to, self._opening)
        return await link.channel()

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, started in the process that uses it: threads don't survive a fork."""
        with self._starting:
            if self._loop is None or self._owner != os.getpid():
                self._links, self._owner = {}, os.getpid()
                self._opening = asyncio.Semaphore(_OPENING)
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._run, args=[self._loop], name="ssh", daemon=True
                ).start()
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.call_later(_SWEEP_SECONDS, self._sweep, loop)
        loop.run_forever()
        loop.close()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        for link in self._links.values():
            link.close(only_idle=True)
        loop.call_later(_SWEEP_SECONDS, self._sweep, loop)

    def _forget(self, to: SshAddress) -> None:
        if link := self._links.pop(to, None):
            link.close()

    async def _end(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()
        # Readers that were cancelled get to their end.
        await asyncio.sleep(0)


LINKS = Links()
"""Those of this process."""
