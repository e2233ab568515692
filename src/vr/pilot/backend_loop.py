"""One backend: see it change, and run `onChange` (docs/reference/pilot.md#backends)."""

from __future__ import annotations

from vr.pilot.discovery.base import changed
from vr.pilot.errors import DiscoveryError
from vr.pilot.ticker import Ticker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vr.pilot.config import Backend
    from vr.pilot.discovery.base import Instance
    from vr.pilot.registrar import Registrar
    from vr.pilot.world import World

# How often `onChange` is tried for one change.
TRIES = 3


class Seen:
    """What is known of a backend; survives reloads.

    `owed`: how many more times `onChange` may be tried for the last change; 0 when it was done.
    """

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self.owed = 0


class BackendLoop:
    def __init__(self, world: World, registrar: Registrar, backend: Backend, seen: Seen) -> None:
        self._world = world
        self._registrar = registrar
        self._backend = backend
        self._seen = seen

    async def run(self) -> None:
        ticker = Ticker(self._world.loop, self._backend.poll)
        while True:
            await ticker.wait()
            if not self._world.maintenance:
                await self._look()

    async def _look(self) -> None:
        backend, seen, stats = self._backend, self._seen, self._world.stats
        try:
            now = await self._registrar.instances(backend.name, backend.tag)
        except DiscoveryError as error:
            self._world.log.warning(f"Failed to query {backend.name}: {error}")
            return
        stats.instances.set(len(now), backend=backend.name, tag=backend.tag)
        if changed(seen.instances, now):
            seen.instances, seen.owed = now, TRIES
            stats.changes.add(backend=backend.name, tag=backend.tag)
        if seen.owed:
            # A reload cancels this here, and the new loop does what is owed.
            done = await self._world.check(
                "onChange", backend.name, backend.on_change, backend.timeout
            )
            seen.owed = 0 if done else seen.owed - 1
