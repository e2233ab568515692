"""Regular moments, as a Go ticker gives them: whoever is late misses all of them but one."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vr.pilot.loop import Loop


def next_tick(due: float, period: float, now: float) -> float:
    """The first moment after `now` on the grid of `due`."""
    if now < due:
        return due
    return due + period * (math.floor((now - due) / period) + 1)


class Ticker:
    """The first tick is one period from now."""

    def __init__(self, loop: Loop, period: float) -> None:
        self._loop = loop
        self._period = period
        self._due = loop.time() + period

    async def wait(self) -> None:
        """Until the next tick; returns at once if one was missed."""
        if self._loop.time() < self._due:
            await self._loop.sleep_until(self._due)
        self._due = next_tick(self._due, self._period, self._loop.time())

    @property
    def remaining(self) -> float:
        """Seconds until the next tick."""
        return max(self._due - self._loop.time(), 0.0)
