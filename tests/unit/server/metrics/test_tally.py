"""Durations are counted once, whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies

from vr.server.metrics.tally import Durations, Ended, Tally

BOUNDS = (1.0, 10.0)


def test_buckets_add_up_and_a_bound_belongs_to_its_bucket() -> None:
    durations = Durations(BOUNDS)
    for seconds in (0.5, 1.0, 1.5, 99.0):
        durations.add(seconds)
    assert durations.buckets() == [("1.0", 2), ("10.0", 3), ("+Inf", 4)]
    assert durations.sum == 102.0


@given(strategies.lists(strategies.integers(0, 2000), max_size=30), strategies.integers(1, 5))
def test_whatever_has_ended_is_counted_once(ages: list[int], asks: int) -> None:
    now = datetime.now(UTC)
    rows = [(now - timedelta(seconds=age + 5), now - timedelta(seconds=age)) for age in ages]

    def read(after: datetime, until: datetime) -> Iterable[Ended]:
        return [(began, ended, "done") for began, ended in rows if after < ended <= until]

    tally = Tally(read, BOUNDS, ["done", "failed"])
    for _ in range(asks):
        found = tally.now()
    settled = sum(age > 20 for age in ages)
    assert settled <= found["done"].buckets()[-1][1] <= len(ages)
    assert found["failed"].buckets()[-1][1] == 0


def test_what_never_began_lasted_for_no_time() -> None:
    ended = datetime.now(UTC) - timedelta(hours=1)
    tally = Tally(lambda after, until: [(None, ended, "cancelled")], BOUNDS, [])
    assert tally.now()["cancelled"].buckets()[0] == ("1.0", 1)
