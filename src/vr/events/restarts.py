"""How often a proc started again by itself, counted where Supervisor tells of it. Pure.

Restarts with short pauses between them are one row; a row of several is a loop, until the proc
has stayed up for a while: one that is up for a moment is not running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

LOOP_RESTARTS = 3
CALM_SECONDS = 120.0
# What a proc was when its start is a restart: it had ended by itself, or had been given up.
ENDED = frozenset({"EXITED", "BACKOFF", "FATAL"})


@dataclass(frozen=True)
class Restarts:
    """`count`: since somebody started the proc. `row`: how many of them were the last row, which
    lasted from `since` to `last` (unix time)."""

    count: int = 0
    row: int = 0
    since: float = 0.0
    last: float = 0.0

    def again(self, now: float) -> Restarts:
        """What it is after one more, now."""
        more = replace(self, count=self.count + 1, last=now)
        if now - self.last > CALM_SECONDS:
            return replace(more, row=1, since=now)
        return replace(more, row=self.row + 1)

    def is_loop(self, now: float) -> bool:
        """Does the proc restart again and again?"""
        return self.row >= LOOP_RESTARTS and now - self.last <= CALM_SECONDS


def after_start(before: Restarts, from_state: str, now: float) -> Restarts:
    """The restarts of a proc that starts now, and was in `from_state` of Supervisor's before."""
    return before.again(now) if from_state in ENDED else Restarts()


def packed(restarts: Restarts) -> dict[str, Any]:
    """As it goes with what a host pushes of a proc."""
    return asdict(restarts)


def unpacked(info: Mapping[str, Any]) -> Restarts | None:
    """What a host has pushed of a proc's restarts; None if it doesn't count them."""
    values = info.get("restarts")
    return Restarts(**values) if values is not None else None
