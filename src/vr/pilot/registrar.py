"""What should be registered, and one change at a time towards it.

All calls for one instance id pass through one lane, in order. A call that is on its way is never
abandoned: Consul might carry it out after the one that follows. Before each step the
lane looks again at what is wanted, so that a slow health check can't bring back a service that
was just taken out.
"""

from __future__ import annotations

import random

from vr.pilot.errors import DiscoveryError, NotRegistered
from vr.pilot.futures import Lock, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from vr.pilot.config import Record
    from vr.pilot.discovery.base import Discovery, Instance
    from vr.pilot.log import Log
    from vr.pilot.loop import Loop

# How often a deregistration is tried while the service is not wanted again.
_DEREGISTER_TRIES = 6


class Registrar:
    def __init__(self, loop: Loop, discovery: Discovery, log: Log) -> None:
        self._loop = loop
        self._discovery = discovery
        self._log = log
        self._wanted: dict[str, Record] = {}
        # What this pilot has registered and not taken out.
        self._registered: dict[str, Record] = {}
        self._lanes: dict[str, Lock] = {}

    def want(self, record: Record) -> None:
        """Replace what a dead container left under its id; the next heartbeat shows it healthy."""
        self._wanted[record.id] = record
        self._loop.spawn(self._announce(record))

    def allow(self, record: Record) -> None:
        """Let heartbeats register it again, without doing anything now."""
        self._wanted[record.id] = record

    def withdraw(self, record: Record) -> None:
        """Take it out, trying again while the agent is away."""
        self._wanted.pop(record.id, None)
        self._loop.spawn(self._deregister(record))

    async def heartbeat(self, record: Record) -> bool:
        """Register the service if need be and keep it healthy; False: the agent did not take it.

        The call goes on even if the caller is cancelled.
        """
        return await self._loop.spawn(self._heartbeat(record))

    async def instances(self, name: str, tag: str) -> list[Instance]:
        """The healthy instances of a backend; raises DiscoveryError."""
        return await self._discovery.instances(name, tag)

    async def withdraw_all(self, records: Iterable[Record], seconds: float) -> None:
        """Take out everything before the pilot ends, within this time."""
        self._wanted.clear()
        tasks = [self._loop.spawn(self._deregister(record, tries=2)) for record in records]

        async def all_done() -> None:
            for task in tasks:
                await task

        try:
            await self._loop.within(seconds, all_done())
        except TimedOut:
            self._log.warning("Deregistering took too long, going on without")
        finally:
            for task in tasks:
                task.cancel()

    async def close_when_idle(self, seconds: float) -> None:
        """Close the connections once nothing is on its way, or after this time."""
        deadline = self._loop.time() + seconds
        while self._loop.time() < deadline and not all(lane.idle for lane in self._lanes.values()):
            await self._loop.sleep(0.1)
        self.close()

    def close(self) -> None:
        self._discovery.close()

    def _lane(self, id: str) -> Lock:
        return self._lanes.setdefault(id, Lock(self._loop))

    async def _announce(self, record: Record) -> None:
        async with self._lane(record.id):
            if self._wanted.get(record.id) != record:
                return
            try:
                if await self._discovery.announce(record):
                    self._registered[record.id] = record
            except DiscoveryError as error:
                # The first heartbeat registers it.
                self._log.debug(f"Could not register {record.name} yet: {error}")

    async def _heartbeat(self, record: Record) -> bool:
        async with self._lane(record.id):
            if self._wanted.get(record.id) != record:
                return True
            try:
                if self._registered.get(record.id) == record:
                    try:
                        await self._discovery.heartbeat(record)
                        return True
                    except NotRegistered as error:
                        self._log.info(f"{error}\nService not registered, registering...")
                        self._registered.pop(record.id, None)
                else:
                    self._log.debug(f"Registering {record.name}")
            except DiscoveryError as error:
                self._log.warning(f"Heartbeat failed for {record.name}: {error}")
                return False
            try:
                await self._discovery.register(record)
                self._registered[record.id] = record
                await self._discovery.heartbeat(record)
            except DiscoveryError as error:
                self._log.warning(f"Service registration failed: {error}")
                return False
            return True

    async def _deregister(self, record: Record, tries: int = _DEREGISTER_TRIES) -> None:
        for attempt in range(tries):
            if attempt:
                await self._loop.sleep(random.uniform(0.25, 0.75) * 2**attempt)
            async with self._lane(record.id):
                if record.id in self._wanted:
                    return
                try:
                    await self._discovery.deregister(record)
                except DiscoveryError as error:
                    self._log.info(f"Deregistering failed: {error}")
                else:
                    self._registered.pop(record.id, None)
                    return
