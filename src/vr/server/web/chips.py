"""Procs as pages show them: a chip each, below the host that told of it.

Nothing here asks a host or the database. A silent host keeps its last procs, marked as such:
unknown is never shown as empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vr.events.procs import OVER_DISK, RESTARTING, HostState, Proc

_TONES = {
    "RUNNING": "ok",
    "STARTING": "busy",
    "STOPPING": "busy",
    "BACKOFF": "warn",
    RESTARTING: "bad",
    "FATAL": "bad",
    OVER_DISK: "bad",
    "EXITED": "bad",
    "STOPPED": "idle",
}


def tone_of(statename: str) -> str:
    """The colour class of a proc's state: ok, busy, warn, bad, idle or unknown."""
    return _TONES.get(statename, "unknown")


@dataclass(frozen=True)
class ProcChip:
    """One proc on one host. `version` is set apart when it isn't the swarm's own."""

    host: str
    name: str
    element_id: str
    port: int
    version: str
    proc_name: str
    statename: str
    tone: str
    description: str
    is_other_version: bool = False


@dataclass(frozen=True)
class HostGroup:
    """The procs of one swarm on one host; `silent_since` is set when the host is unreachable."""

    host: str
    silent: bool
    silent_since: datetime | None
    procs: tuple[ProcChip, ...]


def by_host(states: Iterable[HostState], now: float) -> tuple[HostGroup, ...]:
    """Every host with all its procs, those without any too."""
    return tuple(host_group(state, [_chip(p) for p in state.procs], now) for state in states)


def groups_of(
    procs: Iterable[Proc], states: Mapping[str, HostState], now: float, *, wanted: str = ""
) -> tuple[HostGroup, ...]:
    chips_of: dict[str, list[ProcChip]] = defaultdict(list)
    for proc in procs:
        chips_of[proc["host"]].append(_chip(proc, wanted))
    return tuple(host_group(states[host], chips, now) for host, chips in sorted(chips_of.items()))


def host_group(state: HostState, chips: Sequence[ProcChip], now: float) -> HostGroup:
    """What a host's part of the board needs to know of the host."""
    silent = state.is_silent(now)
    since = datetime.fromtimestamp(state.seen, tz=UTC) if silent and state.seen else None
    return HostGroup(state.host, silent, since, tuple(chips))


def _chip(proc: Proc, wanted: str = "") -> ProcChip:
    return ProcChip(
        host=proc["host"],
        name=proc["name"],
        element_id=f"proc-{proc['host']}-{proc['name']}".replace(".", "dot"),
        port=proc["port"],
        version=proc["version"],
        proc_name=proc["proc_name"],
        statename=proc["statename"],
        tone=tone_of(proc["statename"]),
        description=proc["description"],
        is_other_version=bool(wanted) and proc["version"] != wanted,
    )
