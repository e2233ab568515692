"""Telling the world: events are stored first and published after the transaction commits."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.dispatch import Signal

from vr.events import stream
from vr.events.procs import ProcBoard
from vr.server.events.kinds import Kind
from vr.server.models import Event, LogEntry

log = logging.getLogger(__name__)

stored = Signal()
"""An `event` of a `kind` was stored, in the transaction that is under way."""


@lru_cache(maxsize=1)
def redis_connection() -> redis.Redis:
    """The process's connection pool to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, decode_responses=True)


def proc_board() -> ProcBoard:
    """What hosts last pushed of their procs, as the whole process remembers it."""
    return _board_on(redis_connection())


@lru_cache(maxsize=1)
def _board_on(connection: redis.Redis) -> ProcBoard:
    return ProcBoard(connection)


def event_data(event: Event) -> dict[str, Any]:
    """What the stream carries for an event (docs/reference/streams.md#events)."""
    data: dict[str, Any] = {
        "id": event.pk,
        "time": event.time.replace(tzinfo=None).isoformat(),
        "title": event.title,
        "message": event.message,
        "tags": event.tags,
    }
    if event.trace_id:
        data["swarm_id"] = event.trace_id
    if event.resource_uri:
        data["resource_uri"] = event.resource_uri
    return data


def announce(
    title: str,
    message: str = "",
    *,
    kind: Kind,
    trace_id: str = "",
    resource_uri: str = "",
) -> Event:
    """Store an event and, once it is committed, publish it to live readers.

    Its id is the last one only after the commit (see Event). Redis being away loses nothing:
    readers catch up from the database.
    """
    with transaction.atomic():
        event = Event.objects.create(
            title=title[:200],
            message=stream.shorten(message),
            tags=list(kind.tags),
            trace_id=trace_id,
            resource_uri=resource_uri,
        )
        stored.send(sender=Event, event=event, kind=kind)
        transaction.on_commit(lambda: _publish(event))
    return event


def last_id(written: int) -> int | None:
    """The id by which everybody knows the event that had the id `written` when it was stored;
    None if it is gone."""
    rows = Event.objects.filter(Q(pk=written) | Q(first_id=written))
    return rows.values_list("pk", flat=True).first()


def _publish(event: Event) -> None:
    try:
        last = last_id(event.pk)
        if last is None:
            return
        event.pk = last
        # All with lower ids are committed by now, and none comes any more.
        before = Event.objects.filter(pk__lt=last).order_by("-pk").values_list("pk", flat=True)
        after = before.first() or 0
        stream.publish(redis_connection(), last, event_data(event), after=after)
    except (redis.RedisError, DatabaseError) as error:
        log.warning("event %s is stored but could not be published: %s", event.pk, error)


def user_did(
    user: Any, kind: Kind, what: str, *, trace_id: str = "", resource_uri: str = ""
) -> None:
    """Record in the action log, and announce, that a user did something to `what`."""
    known = user if getattr(user, "pk", None) else None
    name = known.get_username() if known else "system"
    message = f"{name}: {kind.action} {what}"
    with transaction.atomic():
        LogEntry.objects.create(type=kind.action, user=known, message=message)
        announce(message, kind=kind, trace_id=trace_id, resource_uri=resource_uri)
