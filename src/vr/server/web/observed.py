"""What the pages know of the world: swarms out of the database, procs as hosts pushed them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import redis
from django.db.models import OuterRef, QuerySet, Subquery

from vr.events.procs import HostState, Proc, ProcBoard
from vr.server.balancers import pool_url
from vr.server.events.announcing import redis_connection
from vr.server.models import App, Dispatch, Host, Swarm
from vr.server.web.board import Board, SwarmCard, SwarmNode, build_board

log = logging.getLogger(__name__)

# What has secrets on the way from a swarm to its build; lists leave them in the database.
_HOLDERS = ("", "release__")


@dataclass(frozen=True)
class Reading:
    """The last pushed state of hosts; `available` is False when Redis can't be asked."""

    states: dict[str, HostState]
    available: bool


def read_hosts(names: list[str]) -> Reading:
    """The last pushed state of each host named. Redis away is not the same as no procs."""
    try:
        return Reading(ProcBoard(redis_connection()).read(names), available=True)
    except redis.RedisError as error:
        log.warning("the state of procs can't be read: %s", error)
        return Reading({name: HostState(name, None) for name in names}, available=False)


def read_board(query: str = "") -> tuple[Board, bool]:
    """The whole dashboard, and whether the live state could be read."""
    reading = read_hosts(list(Host.objects.values_list("name", flat=True)))
    board = build_board(
        [card_of(swarm) for swarm in swarms_with_dispatch()],
        reading.states,
        time.time(),
        apps=App.objects.values_list("name", flat=True),
        query=query,
    )
    return board, reading.available


def read_swarm(swarm: Swarm) -> tuple[SwarmNode | None, bool]:
    """A row of `swarms_with_dispatch` with its procs, and whether they could be read. Only the
    hosts of its squad are looked up."""
    card = card_of(swarm)
    reading = read_hosts(sorted(card.hosts))
    return build_board([card], reading.states, time.time()).swarm(card.id), reading.available


def read_proc(host: str, name: str) -> tuple[Proc | None, HostState, bool]:
    """One proc as last pushed (None: not there), its host's state, and whether it could be read."""
    reading = read_hosts([host])
    state = reading.states[host]
    found = next((proc for proc in state.procs if proc["name"] == name), None)
    return found, state, reading.available


def swarms_with_dispatch() -> QuerySet[Swarm]:
    """Swarms, each with `dispatch_status` and `dispatch_tag` of its newest dispatch, secrets
    left in the database."""
    newest = Dispatch.objects.filter(swarm=OuterRef("pk")).order_by("-id")
    return (
        Swarm.objects.select_related("app", "squad", "release__build")
        .prefetch_related("squad__hosts")
        .defer(
            *(f"{holder}{text}_yaml" for holder in _HOLDERS for text in ("config", "env")),
            "volumes_yaml",
        )
        .annotate(
            dispatch_status=Subquery(newest.values("status")[:1]),
            dispatch_tag=Subquery(newest.values("tag")[:1]),
        )
    )


def card_of(swarm: Swarm) -> SwarmCard:
    """The dashboard's view of a row of `swarms_with_dispatch`."""
    return SwarmCard(
        id=swarm.pk,
        app=swarm.app.name,
        config=swarm.config_name,
        proc=swarm.proc_name,
        tag=swarm.release.build.tag if swarm.release else swarm.tag,
        wanted=swarm.tag,
        size=swarm.size,
        squad=swarm.squad.name,
        hosts=frozenset(host.name for host in swarm.squad.hosts.all()),
        pool=swarm.pool,
        pool_url=pool_url(swarm.balancer, swarm.pool),
        dispatch_status=getattr(swarm, "dispatch_status", "") or "",
        dispatch_tag=getattr(swarm, "dispatch_tag", "") or "",
    )
