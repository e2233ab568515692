"""What the pages know of the world: swarms out of the database, procs as hosts pushed them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from django.db.models import OuterRef, QuerySet, Subquery

from vr.events.procs import HostState, Proc
from vr.server.balancers import pool_url
from vr.server.events.announcing import proc_board
from vr.server.models import App, Dispatch, Swarm
from vr.server.procs.ownership import Owner, Unowned, read_claims
from vr.server.procs.survey import Survey, divide, survey
from vr.server.web.board import (
    Board,
    SwarmCard,
    SwarmNode,
    Totals,
    build_board,
    swarm_node,
    totals_of,
)
from vr.server.web.chips import HostGroup, groups_of

log = logging.getLogger(__name__)

# What has secrets on the way from a swarm to its build; pages leave them in the database.
_HOLDERS = ("", "release__")


@dataclass(frozen=True)
class Reading:
    """The last pushed state of hosts; `available` is False when Redis can't be asked."""

    states: dict[str, HostState]
    available: bool


def read_hosts(names: list[str]) -> Reading:
    """The last pushed state of each host named. Redis away is not the same as no procs."""
    try:
        return Reading(proc_board().read(names), available=True)
    except redis.RedisError as error:
        log.warning("the state of procs can't be read: %s", error)
        return Reading({name: HostState(name, None) for name in names}, available=False)


def read_board(query: str = "", page: int = 1) -> tuple[Board, bool]:
    """The whole dashboard, and whether the live state could be read."""
    found, available = read_survey()
    board = build_board(
        read_cards(),
        found,
        time.time(),
        apps=App.objects.values_list("name", flat=True),
        query=query,
        page=page,
    )
    return board, available


@dataclass(frozen=True)
class Changes:
    """Parts of the board: whole numbers, swarms without their procs, single procs below their
    hosts (and whether these are foreign), and the swarms whose procs `moved` (None: others)."""

    totals: Totals
    nodes: list[SwarmNode]
    groups: list[tuple[HostGroup, bool]]
    moved: list[int] | None


def read_changes(
    procs: Sequence[tuple[str, str]], moved: Sequence[tuple[str, str]], swarms: Sequence[int]
) -> tuple[Changes, bool]:
    """What the board shows of procs, (host, name) each, of the swarms that own them, and of
    `swarms`; and whether the live state could be read."""
    found, available = read_survey()
    owners = {proc: found.claims.owner(*proc) for proc in (*procs, *moved)}
    wanted = {*swarms, *(owner for owner in owners.values() if not isinstance(owner, Unowned))}
    now = time.time()
    cards: dict[Owner, SwarmCard] = {card.id: card for card in read_cards(pk__in=wanted)}
    nodes = [swarm_node(card, found, now) for card in cards.values()]
    groups = []
    for host, name in procs:
        if (state := found.states.get(host)) is None:
            continue
        card = cards.get(owners[host, name])
        said = [proc for proc in state.procs if proc["name"] == name]
        group = groups_of(said, found.states, now, wanted=card.tag if card else "")
        is_foreign = owners[host, name] is Unowned.FOREIGN
        groups += [(one, is_foreign) for one in group]
    moved_of = [owners[proc] for proc in moved]
    known = [owner for owner in moved_of if owner in cards and not isinstance(owner, Unowned)]
    return (
        Changes(
            totals_of(found, Swarm.objects.count(), now),
            nodes,
            groups,
            moved=known if len(known) == len(moved_of) else None,
        ),
        available,
    )


def read_survey() -> tuple[Survey, bool]:
    """All procs by their owner, and whether they could be read: else every host is silent."""
    try:
        return survey(), True
    except redis.RedisError as error:
        log.warning("the state of procs can't be read: %s", error)
    claims = read_claims()
    return divide({name: HostState(name, None) for name in sorted(claims.squads)}, claims), False


def read_swarm(swarm: Swarm) -> tuple[SwarmNode, bool]:
    """A swarm with its procs, and whether they could be read."""
    found, available = read_survey()
    [card] = read_cards(pk=swarm.pk)
    return swarm_node(card, found, time.time()), available


def read_proc(host: str, name: str) -> tuple[Proc | None, HostState, bool]:
    """One proc as last pushed (None: not there), its host's state, and whether it could be read."""
    reading = read_hosts([host])
    state = reading.states[host]
    found = next((proc for proc in state.procs if proc["name"] == name), None)
    return found, state, reading.available


def swarms_without_secrets() -> QuerySet[Swarm]:
    """Swarms with app, squad and release; config and environment are left in the database."""
    secrets = (f"{holder}{text}_yaml" for holder in _HOLDERS for text in ("config", "env"))
    return Swarm.objects.select_related("app", "squad", "release").defer(*secrets, "volumes_yaml")


def read_cards(**search: Any) -> list[SwarmCard]:
    """The swarms that `search` (of the ORM) finds, each with its newest dispatch.

    Only what cards show is read: whole records have config, secrets and builds with them.
    """
    newest = Dispatch.objects.filter(swarm=OuterRef("pk")).order_by("-id")
    rows = Swarm.objects.filter(**search).values_list(
        *("pk", "app__name", "config_name", "proc_name", "release__build__tag", "tag", "size"),
        *("squad__name", "pool", "balancer"),
        Subquery(newest.values("status")[:1]),
        Subquery(newest.values("tag")[:1]),
    )
    return [_card(*row) for row in rows]


def _card(
    pk: int,
    app: str,
    config: str,
    proc: str,
    served: str | None,
    wanted: str,
    size: int,
    squad: str,
    pool: str,
    balancer: str,
    status: str | None,
    dispatched: str | None,
) -> SwarmCard:
    return SwarmCard(
        id=pk,
        app=app,
        config=config,
        proc=proc,
        tag=served or wanted,
        wanted=wanted,
        size=size,
        squad=squad,
        pool=pool,
        pool_url=pool_url(balancer, pool),
        dispatch_status=status or "",
        dispatch_tag=dispatched or "",
    )
