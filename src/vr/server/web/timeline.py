"""A dispatch as people follow it: its steps in order, with those still to come. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

ORDER = (
    "build",
    "release",
    "deploy",
    "start",
    "uptest",
    "hold",
    "canary",
    "route",
    "settle",
    "drain",
    "retire",
)
# Shown once they have begun: few dispatches have them.
_ON_DEMAND = frozenset({"hold", "canary"})
_LABELS = {
    "build": "Build",
    "release": "Release",
    "deploy": "Deploy",
    "start": "Start",
    "uptest": "Uptest",
    "hold": "Hold",
    "canary": "Canary",
    "route": "Route",
    "settle": "Settle",
    "drain": "Drain",
    "retire": "Retire",
    "undo": "Undo",
}


class StepRow(Protocol):
    """What is read of a recorded step."""

    kind: str
    status: str
    message: str
    started: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Stage:
    """One line of the timeline. `status`: pending, running, done, failed or skipped.

    `seconds` is set once it has ended; while it runs, `running_since` lets the page count.
    """

    kind: str
    label: str
    status: str
    message: str = ""
    seconds: float | None = None
    running_since: datetime | None = None


def timeline(steps: Sequence[StepRow], *, is_open: bool) -> list[Stage]:
    """All stages in order; a dispatch has at most one step of each kind."""
    by_kind = {step.kind: step for step in steps}
    usual = [kind for kind in ORDER if kind in by_kind or kind not in _ON_DEMAND]
    kinds = [*usual, *(kind for kind in by_kind if kind not in ORDER)]
    return [_stage(kind, by_kind.get(kind), is_open=is_open) for kind in kinds]


def _stage(kind: str, step: StepRow | None, *, is_open: bool) -> Stage:
    label = _LABELS.get(kind, kind.capitalize())
    if step is None:
        return Stage(kind, label, "pending" if is_open else "skipped")
    runs = step.status == "running" and is_open
    return Stage(
        kind=kind,
        label=label,
        # A worker that was killed leaves its step running; the dispatch's end settles it.
        status=step.status if step.status != "running" or runs else "skipped",
        message=step.message,
        seconds=(step.ended - step.started).total_seconds() if step.ended else None,
        running_since=step.started if runs else None,
    )
