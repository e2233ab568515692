"""The dashboard's tree, as a pure function: swarms and what hosts last said → app → swarm → host.

Nothing here asks a host or the database. A silent host keeps its last procs, marked as such:
unknown is never shown as empty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vr.events.procs import RESTARTING, HostState, Proc
from vr.server.procs.ownership import Claims, Unowned

_TONES = {
    "RUNNING": "ok",
    "STARTING": "busy",
    "STOPPING": "busy",
    "BACKOFF": "warn",
    RESTARTING: "bad",
    "FATAL": "bad",
    "EXITED": "bad",
    "STOPPED": "idle",
}


def tone_of(statename: str) -> str:
    """The colour class of a proc's state: ok, busy, warn, bad, idle or unknown."""
    return _TONES.get(statename, "unknown")


@dataclass(frozen=True)
class SwarmCard:
    """A swarm as the database knows it.

    `tag` is the version that the last successful dispatch left running, `wanted` the one that
    was asked for last: they differ while a dispatch is under way, and after one that failed.
    """

    id: int
    app: str
    config: str
    proc: str
    tag: str
    wanted: str
    size: int
    squad: str
    pool: str = ""
    pool_url: str = ""
    dispatch_status: str = ""
    dispatch_tag: str = ""

    @property
    def name(self) -> str:
        return f"{self.app}-{self.config}-{self.proc}"


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


@dataclass(frozen=True)
class SwarmNode:
    """A swarm with its procs; `card` is None for procs that belong to no swarm."""

    card: SwarmCard | None
    title: str
    hosts: tuple[HostGroup, ...]

    @property
    def procs(self) -> list[ProcChip]:
        return [proc for group in self.hosts for proc in group.procs]

    @property
    def running(self) -> int:
        """Procs of the wanted version that run, on hosts that speak."""
        return sum(
            proc.statename == "RUNNING" and not proc.is_other_version
            for group in self.hosts
            if not group.silent
            for proc in group.procs
        )

    @property
    def tone(self) -> str:
        """The colour of the whole: the worst that matters."""
        if self.card is None:
            return "unknown"
        if any(proc.tone == "bad" for proc in self.procs):
            return "bad"
        if any(group.silent for group in self.hosts):
            return "unknown"
        if self.running >= self.card.size:
            return "ok" if self.card.size else "idle"
        if any(proc.tone == "busy" for proc in self.procs):
            return "busy"
        return "warn" if self.procs else "idle"


@dataclass(frozen=True)
class AppNode:
    name: str
    swarms: tuple[SwarmNode, ...]


@dataclass(frozen=True)
class Board:
    """All that the dashboard shows of what runs."""

    apps: tuple[AppNode, ...]
    foreign: tuple[HostGroup, ...]
    silent: tuple[HostState, ...]
    running: int = 0
    troubled: int = 0
    swarm_count: int = 0
    host_count: int = 0

    @property
    def answering(self) -> int:
        """How many hosts are not silent."""
        return self.host_count - len(self.silent)

    def swarm(self, swarm_id: int) -> SwarmNode | None:
        """The node of a swarm, None if the board was made without it."""
        for app in self.apps:
            for node in app.swarms:
                if node.card and node.card.id == swarm_id:
                    return node
        return None


def build_board(
    cards: Sequence[SwarmCard],
    states: Mapping[str, HostState],
    claims: Claims,
    now: float,
    *,
    apps: Iterable[str] = (),
    query: str = "",
) -> Board:
    """Join swarms with their procs, which `claims` tell. `now` is unix time; `apps` adds apps
    without a swarm.

    `query` keeps what it occurs in: a part of an app's, swarm's, host's or proc's name, a tag,
    or a state such as FATAL.
    """
    owned: dict[int, list[Proc]] = {card.id: [] for card in cards}
    strays: dict[str, list[Proc]] = defaultdict(list)
    foreign: list[Proc] = []
    for state in states.values():
        for proc in state.procs:
            owner = claims.owner(state.host, proc["name"])
            if owner is Unowned.FOREIGN:
                foreign.append(proc)
            elif owner is Unowned.STRAY or owner not in owned:
                strays[proc["app_name"]].append(proc)
            else:
                owned[owner].append(proc)

    needle = query.strip().lower()
    nodes: dict[str, list[SwarmNode]] = {name: [] for name in apps}
    for card in cards:
        groups = _groups(owned[card.id], states, now, wanted=card.tag)
        node = SwarmNode(card, f"{card.config} {card.proc}", groups)
        kept = _matching(node, needle)
        nodes.setdefault(card.app, [])
        if kept:
            nodes[card.app].append(kept)
    for app, procs in strays.items():
        node = SwarmNode(None, "not part of a swarm", _groups(procs, states, now))
        nodes.setdefault(app, [])
        if kept := _matching(node, needle, app):
            nodes[app].append(kept)

    ours = [proc for procs in (*owned.values(), *strays.values()) for proc in procs]
    chips = [_chip(proc) for state in states.values() for proc in state.procs]
    return Board(
        apps=tuple(
            AppNode(name, tuple(found))
            for name, found in sorted(nodes.items())
            if found or not needle or needle in name.lower()
        ),
        foreign=tuple(
            group
            for group in _groups(foreign, states, now)
            if not needle or _occurs(needle, *(p.name for p in group.procs), group.host)
        ),
        silent=tuple(state for state in states.values() if state.is_silent(now)),
        running=sum(_chip(proc).tone == "ok" for proc in ours),
        troubled=sum(chip.tone in {"bad", "warn"} for chip in chips),
        swarm_count=len(cards),
        host_count=len(states),
    )


def by_host(states: Iterable[HostState], now: float) -> tuple[HostGroup, ...]:
    """Every host with all its procs, those without any too."""
    return tuple(host_group(state, [_chip(p) for p in state.procs], now) for state in states)


def _groups(
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


def _occurs(needle: str, *texts: str) -> bool:
    return any(needle in text.lower() for text in texts)


def _matching(node: SwarmNode, needle: str, app: str = "") -> SwarmNode | None:
    """The node itself if its name matches, else what is left of it with matching procs only."""
    if not needle:
        return node
    card = node.card
    if card and _occurs(needle, card.name, card.tag, card.wanted, card.pool, card.squad):
        return node
    if app and _occurs(needle, app):
        return node
    groups = []
    for group in node.hosts:
        if needle in group.host.lower():
            groups.append(group)
            continue
        procs = tuple(p for p in group.procs if _occurs(needle, p.name, p.statename))
        if procs:
            groups.append(HostGroup(group.host, group.silent, group.silent_since, procs))
    return SwarmNode(card, node.title, tuple(groups)) if groups else None
