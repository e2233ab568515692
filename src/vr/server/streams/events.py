"""`/api/streams/events/`: what users and tasks did; first what was missed, then live.

Events carry the id of their database row. Without a `Last-Event-ID` header (or `?after=`, for
pages that already show some) the last 100 come first; with one, all newer ones. `?trace=`
keeps the events of one dispatch.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.events.stream import BUFFER_LENGTH, CHANNEL
from vr.server.events.announcing import event_data
from vr.server.models import Event
from vr.server.streams.feed import listening, until_lost
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    from_database,
    message,
    response,
)

# Who was away for longer gets the newest of what was missed.
LONGEST_REPLAY = 1000


@dataclass(frozen=True)
class Asked:
    """What a reader wants: events after the one with id `after`, of one trace or of all."""

    after: int | None
    trace: str

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        """From the request; an id that is no number counts as none."""
        last = request.headers.get("Last-Event-ID") or request.GET.get("after") or ""
        is_id = last.isascii() and last.isdecimal() and len(last) < 19
        return cls(int(last) if is_id else None, request.GET.get("trace", ""))


@authenticated
async def events(request: HttpRequest) -> HttpResponseBase:
    return response(until_lost(_events(Asked.of(request))))


async def _events(asked: Asked) -> AsyncIterator[str]:
    yield KEEP_ALIVE
    # Listening begins before the replay is read, so nothing falls between them. Ids are in the
    # order of commits, messages are not: one that comes too early, or was never published, shows
    # by the id before it, and the database has what is missing.
    async with listening(CHANNEL) as feed:
        replayed, last = await from_database(missed, asked)
        for data in replayed:
            yield message(json.dumps(data), id=str(data["id"]))
        while True:
            text = await feed.next(KEEP_ALIVE_SECONDS)
            if text is None:
                yield KEEP_ALIVE
                continue
            published = json.loads(text)
            number = int(published["id"])
            if number <= last:
                continue
            if int(published.get("after", number)) > last:
                for data in await from_database(between, last, number, asked.trace):
                    yield message(json.dumps(data), id=str(data["id"]))
            elif not asked.trace or json.loads(published["data"]).get("swarm_id") == asked.trace:
                yield message(published["data"], id=published["id"])
            last = number


def missed(asked: Asked) -> tuple[list[dict[str, Any]], int]:
    """What a reader gets first, oldest first; and the id up to which it has all then.

    An id that the database doesn't know (an older installation's) is no ground to go by: such
    a reader starts anew.
    """
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    if asked.after is not None and Event.objects.filter(pk=asked.after).exists():
        return between(asked.after, newest, asked.trace), newest
    return between(0, newest, asked.trace, most=BUFFER_LENGTH), newest


def between(
    after: int, last: int, trace: str, *, most: int = LONGEST_REPLAY
) -> list[dict[str, Any]]:
    """The newest events after the id `after` up to `last`, of `trace` if it is given, oldest
    first."""
    rows = Event.objects.filter(pk__gt=after, pk__lte=last)
    if trace:
        rows = rows.filter(trace_id=trace)
    return [event_data(event) for event in reversed(rows.order_by("-pk")[:most])]
