"""The requester's side: ask for a staging, follow it, notice when its stager is lost.

Usable from any asyncio program, such as a server that has its apps staged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from vr.errors import Unwanted
from vr.stager import events
from vr.stager.request import task_id_of
from vr.stager.task_log import failure

LOST_SECONDS = 8.0
"""Silence after which a stager counts as lost: longer than a restart of NATS takes."""

_NO_RESPONDERS = "503"
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class StagingReply:
    """What came back; `error` is None if the droplet was uploaded.

    `unanswered`: there is no stager that could have taken the request.
    """

    task_id: str
    task_log: str
    error: str | None = None
    unanswered: bool = False


@dataclass
class _Followed:
    """A task as seen from here."""

    stager: str = ""
    heard: float = 0.0


async def request_staging(
    client: Client,
    queue: str,
    request: Mapping[str, Any],
    *,
    timeout: float,
    attempts: int = 2,
    lost_after: float = LOST_SECONDS,
    on_line: Callable[[str], None] = lambda _line: None,
    check: Callable[[], None] = lambda: None,
) -> StagingReply:
    """Send the request to the stagers of `queue` and wait `timeout` seconds for its answer.

    `on_line` gets each line of the log while the task runs. A request whose stager is lost, or
    which no stager takes, is sent again under the same task id, up to `attempts` times in all.
    There is always exactly one reply: what no stager says, this function says. `check` is called
    again and again, and must not wait; when it raises, the stager is told to stop.
    """
    document = {**request, "task_id": task_id_of(request)}
    task_id = document["task_id"]
    followed = _Followed()
    answers: asyncio.Queue[Msg] = asyncio.Queue()

    async def heard(message: Msg) -> None:
        event = events.decode(message.data)
        if event is None:
            return
        followed.heard, followed.stager = time.monotonic(), event.stager
        if event.event == "line":
            on_line(event.line)

    async def answered(message: Msg) -> None:
        answers.put_nowait(message)

    inbox = client.new_inbox()
    following = await client.subscribe(events.subject(task_id), cb=heard)
    answering = await client.subscribe(inbox, cb=answered)
    deadline = time.monotonic() + timeout
    problem, unanswered = "", False
    try:
        for attempt in range(attempts):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS)
            followed.heard = time.monotonic()
            await client.publish(queue, msgspec.json.encode(document), reply=inbox)
            while time.monotonic() < deadline:
                check()
                try:
                    message = await asyncio.wait_for(answers.get(), 0.1)
                except TimeoutError:
                    if time.monotonic() - followed.heard > lost_after:
                        problem = _lost(followed.stager, queue, lost_after)
                        unanswered = not followed.stager
                        break
                    continue
                if not _nobody(message):
                    return _parse(message.data, task_id)
                problem, unanswered = f"No stager serves the queue {queue!r}.", True
                break
            else:
                return StagingReply(task_id, "", f"Timed out after {timeout:g}s.")
        return StagingReply(task_id, "", failure(problem), unanswered)
    except Unwanted:
        await client.publish(events.stop_subject(task_id))
        await client.flush()
        raise
    finally:
        await following.unsubscribe()
        await answering.unsubscribe()


def _lost(stager: str, queue: str, seconds: float) -> str:
    if not stager:
        return f"No stager of the queue {queue!r} answered within {seconds:g} seconds."
    return f"The stager {stager} was lost: it has said nothing for {seconds:g} seconds."


def _nobody(message: Msg) -> bool:
    return not message.data and (message.headers or {}).get("Status") == _NO_RESPONDERS


def _parse(data: bytes, task_id: str) -> StagingReply:
    try:
        return msgspec.json.decode(data, type=StagingReply)
    except msgspec.DecodeError as error:
        return StagingReply(task_id, "", failure(f"The stager's reply is not understood: {error}"))
