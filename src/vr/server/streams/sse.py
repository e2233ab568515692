"""The wire format of Server-Sent Events, and who may listen (docs/reference/streams.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from vr.errors import VelociraptorError
from vr.server.access.authentication import user_of
from vr.server.answers import answer, unauthorized

# One LF, not two: the published client takes a blank line for the end of an empty message.
KEEP_ALIVE = ":\n"
KEEP_ALIVE_SECONDS = 15.0
# Of a log, to each reader: far more than anybody can read.
BYTES_PER_SECOND = 2 << 20

T = TypeVar("T")
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def message(data: str, *, id: str = "", event: str = "", retry: int = 0) -> str:
    """One event; `data` may have several lines. `retry` is in milliseconds."""
    lines = [f"retry: {retry}"] if retry else []
    lines += [f"id: {id}"] if id else []
    lines += [f"event: {event}"] if event else []
    # A lone CR ends a line too in this format; str.splitlines would split at more than that.
    lines += [
        f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    return "\n".join(lines) + "\n\n"


def messages(lines: str) -> str:
    """An event for each line of `lines`, all at once: what `message` would make of each, without
    the work for each, as a log may have a million a second. "" is one empty line."""
    data = lines.replace("\r\n", "\n").replace("\n", "\n\ndata: ").replace("\r", "\ndata: ")
    return f"data: {data}\n\n"


def response(body: AsyncIterator[str], content_type: str = "text/event-stream") -> HttpResponseBase:
    """The streaming response; proxies are told neither to keep nor to hold it back."""
    return StreamingHttpResponse(
        body,
        content_type=f"{content_type}; charset=utf-8",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


def authenticated(view: View) -> View:
    """Let only known users GET; errors that a user can mend become JSON, as in the API."""

    @csrf_exempt
    @wraps(view)
    async def guarded(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if request.method != "GET":
            return HttpResponse(status=405, headers={"Allow": "GET"})
        try:
            if await from_database(user_of, request) is None:
                return unauthorized()
            return await view(request, **arguments)
        except VelociraptorError as error:
            return answer(error)

    return guarded


async def rest(sent: int) -> None:
    """Wait as long as `sent` bytes of a log may take: a flood of one app leaves the server time
    for the pages of others."""
    await asyncio.sleep(sent / BYTES_PER_SECOND)


async def from_database(read: Callable[..., T], *arguments: Any) -> T:
    """Call `read` where the ORM may be used, and give the database its connection back.

    A stream lives for hours; it must not hold a connection meanwhile.
    """

    def reading() -> T:
        try:
            return read(*arguments)
        finally:
            connections.close_all()

    return await sync_to_async(reading)()
