"""One service: check its health, send heartbeats (docs/reference/pilot.md#services)."""

from __future__ import annotations

import random

from vr.pilot.ticker import Ticker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vr.pilot.config import Service
    from vr.pilot.registrar import Registrar
    from vr.pilot.world import World

# Further tries of a heartbeat before the next tick, at random moments: fifty pilots whose agent
# was away don't come back at once.
_RETRIES = 2


class ServiceLoop:
    """`at_once`: the first check is not one `poll` from now, as after a reload."""

    def __init__(self, world: World, registrar: Registrar, service: Service, at_once: bool) -> None:
        self._world = world
        self._registrar = registrar
        self._service = service
        self._at_once = at_once

    async def run(self) -> None:
        ticker = Ticker(self._world.loop, self._service.poll)
        if not self._at_once:
            await ticker.wait()
        while True:
            if not self._world.maintenance and await self._healthy():
                await self._heartbeat(ticker)
            await ticker.wait()

    async def _healthy(self) -> bool:
        service = self._service
        if service.health is None:
            return True
        name = service.record.name
        return await self._world.check("health", name, service.health, service.timeout)

    async def _heartbeat(self, ticker: Ticker) -> None:
        """Maintenance or a reload during the check make the registrar ignore it."""
        record = self._service.record
        for attempt in range(1 + _RETRIES):
            sent = await self._registrar.heartbeat(record)
            result = "sent" if sent else "failed"
            self._world.stats.heartbeats.add(service=record.name, result=result)
            pause = self._service.poll * random.uniform(0.1, 0.4)
            if sent or attempt == _RETRIES or pause > ticker.remaining:
                return
            await self._world.loop.sleep(pause)
