"""Who may run now: a stager's places for tasks, and the line of those that wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable


class Full(Exception):
    """Nobody can run it, and nobody more may wait."""


class Places:
    """`active` tasks at once; of the others, `waiting` may wait."""

    def __init__(self, active: int, waiting: int) -> None:
        self.active = active
        self.most_waiting = waiting
        self.taken = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._line)

    def free(self) -> bool:
        return self.taken < self.active and not self._line

    async def take(self, hand_over: Callable[[], Awaitable[bool]], every: float) -> bool:
        """Wait for a place. True: it is taken; release it. False: another stager has the task.

        `hand_over` tries to give the task away: at once if there is no place, then `every` so
        many seconds. Raises Full.
        """
        if self.free():
            self.taken += 1
            return True
        if await hand_over():
            return False
        if self.free():
            self.taken += 1
            return True
        if len(self._line) >= self.most_waiting:
            raise Full
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        while True:
            await asyncio.wait({turn}, timeout=every)
            if turn.done():
                return True
            if await hand_over():
                if turn.done():
                    self.release()
                else:
                    self._line.remove(turn)
                return False

    def release(self) -> None:
        """Give a place back; the next in line has it."""
        if self._line:
            self._line.popleft().set_result(None)
        else:
            self.taken -= 1
