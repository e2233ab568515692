"""Durations as Go writes them: `1h30m`, `2.5s`, `300ms`."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0}
_UNITS.update({"m": 60.0, "h": 3600.0})
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_WHOLE = re.compile(rf"[+-]?(?:{_PART})+")
# What Go's int64 of nanoseconds can hold.
LONGEST = 2**63 / 1e9


def parse_duration(text: str) -> float:
    """Seconds; a plain number is seconds too. Raises ValueError."""
    if re.fullmatch(r"[+-]?\d{1,15}", text, re.ASCII):
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    if seconds > LONGEST:
        raise ValueError(text)
    return -seconds if text.startswith("-") else seconds


def go_duration(seconds: float) -> str:
    """The text that Go makes of a duration: `300ms`, `1.5s`, `1m30s`, `1h0m0s`, `0s`."""
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3)):
            if nanoseconds >= size:
                return f"{sign}{_decimal(nanoseconds, size)}{unit}"
        return f"{sign}{nanoseconds}ns" if nanoseconds else "0s"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{before}{_decimal(rest, 10**9)}s"


def _decimal(number: int, size: int) -> str:
    """`number / size`, exactly: size is a power of ten."""
    whole, rest = divmod(number, size)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
