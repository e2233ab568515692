"""Many staging requests over several stagers, some of which may be killed meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nats

from support.cloud import zipped
from support.stagers import SINATRA_APP, Stagers
from vr.stager.client import StagingReply, request_staging


@dataclass(frozen=True)
class Answered:
    """One request: its reply, and the seconds it took."""

    reply: StagingReply
    seconds: float


def stage_many(
    pool: Stagers,
    count: int,
    *,
    at_once: int,
    attempts: int = 1,
    lost_after: float = 5.0,
    after: tuple[int, Callable[[], None]] | None = None,
    **changes: Any,
) -> list[Answered]:
    """Send `count` requests, `at_once` at a time; `after` = (answers, what to do then).

    `changes` are made to each request.
    """
    names = [f"app{number}" for number in range(count)]
    pool.cloud.apps |= dict.fromkeys(names, zipped(SINATRA_APP))

    async def send() -> list[Answered]:
        client = await nats.connect(pool.nats.uri, pending_size=64 << 20)
        places = asyncio.Semaphore(at_once)
        done = 0

        async def one(name: str) -> Answered:
            nonlocal done
            async with places:
                began = time.monotonic()
                reply = await request_staging(
                    client,
                    pool.queue,
                    pool.request(name, **changes),
                    timeout=60,
                    attempts=attempts,
                    lost_after=lost_after,
                )
                done += 1
                if after and done == after[0]:
                    await asyncio.to_thread(after[1])
                return Answered(reply, time.monotonic() - began)

        answers = await asyncio.gather(*(one(name) for name in names))
        await client.close()
        return answers

    return asyncio.run(send())
