"""The channel of user and task events (docs/reference/host-messages.md#redis).

Redis only wakes the readers: events are kept in the server's database, from where a reader that
was away gets what it missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import redis

CHANNEL = "vr2_events"
BUFFER = "vr2_events_buffer"
BUFFER_LENGTH = 100
LONGEST_MESSAGE = 10_000
_KEPT_AT_EACH_END = 5_000


def shorten(message: str) -> str:
    """Messages of 10,000 characters and more keep their first and last 5,000."""
    if len(message) < LONGEST_MESSAGE:
        return message
    return f"{message[:_KEPT_AT_EACH_END]}\n\n[… snip …]\n\n{message[-_KEPT_AT_EACH_END:]}"


def publish(connection: redis.Redis, event_id: int, data: Mapping[str, Any], *, after: int) -> None:
    """Publish one stored event to live readers and the short buffer of the original.

    `after` is the id of the stored event before it (0: there is none), so that a reader knows
    whether something is missing between this one and the last that it has.
    """
    message = {"id": str(event_id), "data": json.dumps(dict(data)), "after": str(after)}
    text = json.dumps(message)
    with connection.pipeline() as pipe:
        pipe.publish(CHANNEL, text)
        pipe.lpush(BUFFER, text)
        pipe.ltrim(BUFFER, 0, BUFFER_LENGTH - 1)
        pipe.execute()
