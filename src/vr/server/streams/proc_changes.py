"""`/api/streams/proc_changes/`: every state change of a proc, as its host pushes it. Live only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.events.procs import CHANNEL, REMOVED
from vr.server.streams.feed import listening, until_lost
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    message,
    response,
)

_RETRY_MS = 1000


@authenticated
async def proc_changes(request: HttpRequest) -> HttpResponseBase:
    return response(until_lost(_changes()))


async def _changes() -> AsyncIterator[str]:
    async with listening(CHANNEL) as feed:
        # Sent only now, so that a reader who sees it knows that changes from here on come.
        yield KEEP_ALIVE
        while True:
            text = await feed.next(KEEP_ALIVE_SECONDS)
            if text is None:
                yield KEEP_ALIVE
                continue
            event = json.loads(text).get("event", "")
            yield message(text, event=event if event == REMOVED else "", retry=_RETRY_MS)
