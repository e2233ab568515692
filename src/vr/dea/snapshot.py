"""What ran here, on disk: so that a DEA that was killed can report what went with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from vr.dea.instance import Instance
from vr.files.atomic import write_atomic


def save(path: Path, instances: Iterable[Instance]) -> None:
    """Write down the instances that are alive; no secrets, only what an exit message needs."""
    entries = [instance.part() for instance in instances if instance.alive]
    write_atomic(path, msgspec.json.encode(entries), mode=0o600)


def load(path: Path) -> list[dict[str, Any]]:
    """The instance parts of the last snapshot; an unreadable one counts as empty."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])
    except (OSError, msgspec.MsgspecError):
        return []
    return entries


def vanished(part: dict[str, Any]) -> dict[str, Any]:
    """The exit message of an instance that went with an earlier DEA."""
    kept = ("droplet", "version", "instance", "index", "cc_partition")
    return {
        **{key: part.get(key) for key in kept},
        "reason": "CRASHED",
        "crash_timestamp": part.get("state_timestamp"),
        "exit_description": "Its DEA was killed.",
    }
