"""Lists of HTTP statuses, as in `200-399,401`. Pure."""

from __future__ import annotations

import re

_PART = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
ANY_BELOW_500 = frozenset(range(100, 500))


def parse_statuses(text: str) -> frozenset[int]:
    """The statuses that the list names; those below 500 for an empty one. Raises ValueError."""
    if not text.strip():
        return ANY_BELOW_500
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (match[1], match[2] or match[1]) if match else ("1", "0")
        if int(first) > int(last):
            raise ValueError(
                f"{part.strip()!r} is no HTTP status or range of them, as in 200-399,401"
            )
        found |= set(range(int(first), int(last) + 1))
    return frozenset(found)
