"""How long things took that have ended, by outcome: counted once, then only what ended since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# (when it began, when it ended, how)
Ended = tuple[datetime | None, datetime, str]
Read = Callable[[datetime, datetime], Iterable[Ended]]

# The end of a row is set a moment before others see it, by a clock of another machine.
_LATE_SECONDS = 15.0


@dataclass
class Durations:
    """A histogram: how many lasted up to each of `bounds` (seconds), and longer; their sum."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, how many lasted that long at most), as Prometheus wants them."""
        found, total = [], 0
        for bound, count in zip([*map(repr, self.bounds), "+Inf"], self.counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Tally:
    """Durations by outcome. `read(after, until)` gives what ended then, `until` included.

    What ended a moment ago is counted a moment later, so that nothing is missed or counted twice.
    """

    def __init__(self, read: Read, bounds: Sequence[float], outcomes: Iterable[str]) -> None:
        self._read = read
        self._bounds = bounds
        self._until = datetime.fromtimestamp(0, tz=UTC)
        self._by_outcome = {one: Durations(bounds) for one in outcomes}

    def now(self) -> dict[str, Durations]:
        """All that have ended by now, but for the last seconds."""
        until = datetime.now(UTC) - timedelta(seconds=_LATE_SECONDS)
        if until > self._until:
            fresh = list(self._read(self._until, until))
            for began, ended, outcome in fresh:
                durations = self._by_outcome.setdefault(outcome, Durations(self._bounds))
                durations.add(max(0.0, (ended - (began or ended)).total_seconds()))
            self._until = until
        return self._by_outcome
