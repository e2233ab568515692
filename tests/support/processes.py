"""The processes below one, for tests that look at or kill them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    """Raises FileNotFoundError if there is no such process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> Iterator[int]:
    """Children, their children and so on; those that end meanwhile may be left out."""
    with suppress(OSError):
        for child in children(pid):
            yield child
            yield from descendants(child)
