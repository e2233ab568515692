"""Sizes as people write them: 64M, 1G."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
_TOO_LARGE = 1 << 63
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes from a number with an optional K, M, G or T (powers of 1024); raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no size; write it like 64M or 1G")
    number, unit = match.groups()
    size = float(number) * _FACTORS[unit.upper()]
    if size >= _TOO_LARGE:
        raise ValueError(f"{text!r} is larger than any disk; write a size like 64M or 1G")
    return int(size)


def show_size(size: int) -> str:
    """Bytes as `parse_size` reads them: exactly if that is short, else in tenths of a unit."""
    for unit, factor in reversed(_FACTORS.items()):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + unit
    return "0"
