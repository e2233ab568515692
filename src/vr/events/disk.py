"""What hosts tell of disks: procs that were stopped as they wrote too much, and what is free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vr.specs.sizes import show_size

_KEY = "over_disk"


@dataclass(frozen=True)
class OverDisk:
    """A proc that was stopped: it had written `used` bytes, of which it may `limit`; `at` is unix
    time."""

    used: int
    limit: int
    at: float

    def __str__(self) -> str:
        return f"it had written {show_size(self.used)}, its limit is {show_size(self.limit)}"


@dataclass(frozen=True)
class HostDisk:
    """The file system that a host's procs write to, in bytes."""

    free: int
    total: int


def with_over_disk(info: Mapping[str, Any], over: OverDisk | None) -> dict[str, Any]:
    """What a host pushes of a proc, with this."""
    return {**info, _KEY: asdict(over)} if over else dict(info)


def over_disk_of(info: Mapping[str, Any]) -> OverDisk | None:
    """What a host has pushed of it; None if the proc wasn't stopped for that."""
    values = info.get(_KEY)
    return OverDisk(**values) if values else None
