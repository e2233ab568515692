"""Durations and ages as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vr.text.durations import ago, duration, uptime

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.0304, "30 ms"),
        (0.9996, "1.0 s"),
        (4.24, "4.2 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (119.7, "2 min 00 s"),
        (3599.6, "1 h 00 min"),
        (3780, "1 h 03 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "just now"),
        (45, "45 s ago"),
        (300, "5 min ago"),
        (7300, "2 h ago"),
        (90000, "1 day ago"),
        (200000, "2 days ago"),
        (-5, "just now"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_what_never_happened_has_no_age() -> None:
    assert ago(None, NOW) == "never"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0d:0h:0m:0s"), (59.9, "0d:0h:0m:59s"), (90_061, "1d:1h:1m:1s")]
)
def test_uptime_is_told_in_parts(seconds: float, text: str) -> None:
    assert uptime(seconds) == text
