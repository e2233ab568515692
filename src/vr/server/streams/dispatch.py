"""`/api/streams/dispatch/<trace id>/`: a dispatch whenever one of its steps changes.

Each event's data is the dispatch's whole document as at `/api/v1/dispatches/<trace id>/`, so a
reader needs no memory. When it has ended, a last event named `end` says so, and the stream with
it; a page closes its EventSource then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.events.stream import CHANNEL
from vr.server.models.dispatch import ENDED
from vr.server.resources import DISPATCHES
from vr.server.resources.fields import Answering
from vr.server.streams.feed import Feed, listening, until_lost
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    from_database,
    message,
    response,
)

# A step changes its message without an event, too; and events wake us only if Redis has them.
_LOOK_AGAIN_SECONDS = 0.5


@authenticated
async def dispatch(request: HttpRequest, trace_id: str) -> HttpResponseBase:
    first = await from_database(_document, request, trace_id)
    return response(until_lost(_changes(request, trace_id, first)))


async def _changes(
    request: HttpRequest, trace_id: str, document: dict[str, Any]
) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    async with listening(CHANNEL) as feed:
        shown: Any = None
        spoke = clock()
        while True:
            if (state := _state(document)) != shown:
                shown, spoke = state, clock()
                yield message(json.dumps(document))
            elif clock() - spoke > KEEP_ALIVE_SECONDS:
                spoke = clock()
                yield KEEP_ALIVE
            if document["status"] in ENDED:
                break
            await _news(feed, trace_id)
            document = await from_database(_document, request, trace_id)
    yield message(json.dumps({"status": document["status"]}), event="end")


async def _news(feed: Feed, trace_id: str) -> None:
    """Wait for an event of this dispatch, but not for long."""
    deadline = asyncio.get_running_loop().time() + _LOOK_AGAIN_SECONDS
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        text = await feed.next(left)
        if text and trace_id in text:
            return


def _document(request: HttpRequest, trace_id: str) -> dict[str, Any]:
    return DISPATCHES.dump(DISPATCHES.get(trace_id), Answering(request))


def _state(document: dict[str, Any]) -> Any:
    """What a reader would notice: all but the seconds, which run on their own."""
    steps = [(step["kind"], step["status"], step["message"]) for step in document["steps"]]
    keys = ("status", "error", "build", "release", "batched", "note")
    return [document[key] for key in keys], steps
