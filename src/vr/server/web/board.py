"""The dashboard's tree, as a pure function: swarms and what hosts last said → app → swarm → host.

Nothing here asks a host or the database. A silent host keeps its last procs, marked as such:
unknown is never shown as empty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from vr.events.procs import HostState, Proc
from vr.server.procs.survey import Survey
from vr.server.web.chips import HostGroup, ProcChip, groups_of, tone_of

# More than this is shown a page at a time, and procs when they are asked for: at first only
# those of swarms in trouble, as far as they are few.
SWARMS_SHOWN = 100
PROCS_SHOWN = 200
PROCS_OPEN = 60


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
class SwarmNode:
    """A swarm with what hosts said of its procs; `card` is None for procs that belong to no swarm.

    Its chips are made when they are asked for: a large fleet shows few of them at once.
    `is_open`: whether the page shows them from the beginning.
    """

    card: SwarmCard | None
    title: str
    said: tuple[Proc, ...]
    states: Mapping[str, HostState]
    now: float
    is_open: bool = True

    @cached_property
    def hosts(self) -> tuple[HostGroup, ...]:
        """The hosts that have procs of it, by name."""
        return groups_of(
            self.said, self.states, self.now, wanted=self.card.tag if self.card else ""
        )

    @property
    def procs(self) -> list[ProcChip]:
        return [proc for group in self.hosts for proc in group.procs]

    @cached_property
    def running(self) -> int:
        """Procs of the wanted version that run, on hosts that speak."""
        tag = self.card.tag if self.card else ""
        return sum(
            proc["statename"] == "RUNNING"
            and (not tag or proc["version"] == tag)
            and proc["host"] not in self._silent
            for proc in self.said
        )

    @cached_property
    def tone(self) -> str:
        """The colour of the whole: the worst that matters."""
        if self.card is None:
            return "unknown"
        tones = {tone_of(proc["statename"]) for proc in self.said}
        if "bad" in tones:
            return "bad"
        if self._silent:
            return "unknown"
        if self.running >= self.card.size:
            return "ok" if self.card.size else "idle"
        if "busy" in tones:
            return "busy"
        return "warn" if self.said else "idle"

    @property
    def is_troubled(self) -> bool:
        return self.tone in {"bad", "warn", "unknown"}

    @cached_property
    def _silent(self) -> frozenset[str]:
        hosts = {proc["host"] for proc in self.said}
        return frozenset(host for host in hosts if self.states[host].is_silent(self.now))


@dataclass(frozen=True)
class AppNode:
    name: str
    swarms: tuple[SwarmNode, ...]


@dataclass(frozen=True)
class Totals:
    """The whole fleet in numbers. `running` and `troubled` count procs."""

    swarms: int
    running: int
    troubled: int
    hosts: int
    silent: int

    @property
    def answering(self) -> int:
        """How many hosts are not silent."""
        return self.hosts - self.silent


@dataclass(frozen=True)
class Board:
    """What the dashboard shows of what runs: all of it, or the page `page` (from 1 on) of `pages`,
    the apps in trouble first."""

    apps: tuple[AppNode, ...]
    foreign: tuple[HostGroup, ...]
    totals: Totals
    page: int
    pages: int


def build_board(
    cards: Sequence[SwarmCard],
    found: Survey,
    now: float,
    *,
    apps: Iterable[str] = (),
    query: str = "",
    page: int = 1,
) -> Board:
    """Join swarms with their procs. `now` is unix time; `apps` adds apps without a swarm.

    `query` keeps what it occurs in: a part of an app's, swarm's, host's or proc's name, a tag,
    or a state such as FATAL.
    """
    needle = query.strip().lower()
    nodes: dict[str, list[SwarmNode]] = {name: [] for name in apps}
    for card in cards:
        nodes.setdefault(card.app, [])
        if kept := _matching(swarm_node(card, found, now), needle):
            nodes[card.app].append(kept)
    strays = _strays(cards, found)
    for app, procs in strays.items():
        node = SwarmNode(None, "not part of a swarm", tuple(procs), found.states, now)
        nodes.setdefault(app, [])
        if kept := _matching(node, needle, app):
            nodes[app].append(kept)

    shown = [
        AppNode(name, tuple(kept))
        for name, kept in sorted(nodes.items())
        if kept or not needle or needle in name.lower()
    ]
    pages = _pages(shown)
    page = min(max(page, 1), len(pages))
    return Board(
        apps=pages[page - 1],
        foreign=tuple(
            group
            for group in groups_of(found.foreign, found.states, now)
            if not needle or _occurs(needle, *(p.name for p in group.procs), group.host)
        ),
        totals=totals_of(found, len(cards), now),
        page=page,
        pages=len(pages),
    )


def swarm_node(card: SwarmCard, found: Survey, now: float) -> SwarmNode:
    """A swarm with its procs."""
    said = tuple(found.owned.get(card.id, ()))
    return SwarmNode(card, f"{card.config} {card.proc}", said, found.states, now)


def totals_of(found: Survey, swarms: int, now: float) -> Totals:
    """The numbers of the fleet; `swarms` is how many there are."""
    ours = Counter(proc["statename"] for procs in found.owned.values() for proc in procs)
    ours += Counter(proc["statename"] for proc in found.strays)
    others = Counter(proc["statename"] for proc in found.foreign)
    return Totals(
        swarms=swarms,
        running=_counted(ours, "ok"),
        troubled=_counted(ours + others, "bad", "warn"),
        hosts=len(found.states),
        silent=sum(state.is_silent(now) for state in found.states.values()),
    )


def _counted(states: Mapping[str, int], *tones: str) -> int:
    return sum(count for statename, count in states.items() if tone_of(statename) in tones)


def _strays(cards: Sequence[SwarmCard], found: Survey) -> Mapping[str, list[Proc]]:
    """Procs of no swarm, by app; those of one that came or went meanwhile, too."""
    known = {card.id for card in cards}
    strays: dict[str, list[Proc]] = defaultdict(list)
    of_others = (procs for owner, procs in found.owned.items() if owner not in known)
    for proc in chain(found.strays, *of_others):
        strays[proc["app_name"]].append(proc)
    return strays


def _pages(apps: Sequence[AppNode]) -> list[tuple[AppNode, ...]]:
    """The apps, so many swarms to a page. What doesn't fit one page begins with those in trouble,
    and shows the procs of these only, as far as they are few."""
    swarms = [node for app in apps for node in app.swarms]
    if len(swarms) <= SWARMS_SHOWN and sum(len(node.said) for node in swarms) <= PROCS_SHOWN:
        return [tuple(apps)]
    ordered = sorted(apps, key=lambda app: not any(node.is_troubled for node in app.swarms))
    pages: list[list[AppNode]] = [[]]
    room, chips = SWARMS_SHOWN, PROCS_OPEN
    for app in ordered:
        swarms = list(app.swarms)
        while True:
            if room <= 0:
                pages.append([])
                room, chips = SWARMS_SHOWN, PROCS_OPEN
            part, swarms = swarms[:room], swarms[room:]
            opened = []
            for node in part:
                is_open = node.is_troubled and len(node.said) <= chips
                chips -= len(node.said) if is_open else 0
                opened.append(replace(node, is_open=is_open))
            pages[-1].append(AppNode(app.name, tuple(opened)))
            room -= max(len(part), 1)
            if not swarms:
                break
    return [tuple(page) for page in pages]


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
    said = tuple(p for p in node.said if _occurs(needle, p["host"], p["name"], p["statename"]))
    return replace(node, said=said) if said else None
