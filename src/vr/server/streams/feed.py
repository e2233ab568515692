"""Listening to a Redis channel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from django.conf import settings

log = logging.getLogger(__name__)


class Feed:
    """A channel that is being listened to."""

    def __init__(self, pubsub: redis.asyncio.client.PubSub) -> None:
        self._pubsub = pubsub

    async def next(self, seconds: float) -> str | None:
        """The next message's text, None if none comes within `seconds`.

        Raises redis.RedisError when the connection is lost: nobody knows what was missed then.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            found = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=left)
            if found is not None:
                return str(found["data"])
        return None


@asynccontextmanager
async def listening(channel: str) -> AsyncIterator[Feed]:
    """Subscribed to `channel` from here on: what is published later is not missed."""
    connection = redis.asyncio.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    pubsub = connection.pubsub()
    try:
        await pubsub.subscribe(channel)
        # Redis confirms the subscription; only then is it certain.
        await pubsub.get_message(timeout=5)
        yield Feed(pubsub)
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await connection.aclose()


async def until_lost(stream: AsyncIterator[str]) -> AsyncIterator[str]:
    """`stream`, ended without noise when Redis goes away: readers reconnect and catch up."""
    try:
        async for part in stream:
            yield part
    except redis.RedisError as error:
        log.warning("a stream ends, as Redis went away: %s", error)
