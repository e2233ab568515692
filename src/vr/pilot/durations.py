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
