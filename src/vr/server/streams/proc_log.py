"""`/api/streams/proc_log/<host>/<proc>/`: a proc's log as it grows.

One event per line for readers that accept `text/event-stream`, else plain text. It begins with
the line in which the log's last kilobyte begins, or further back with `?bytes=`.

The log is followed as a file of the host. Supervisor is only asked, by XML-RPC, which file a
program's output goes to: no part of a name from outside gets near a path of any kind.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.errors import InvalidInput, VelociraptorError
from vr.hosts.connection import HostConnection, LogReader
from vr.server.answers import NotFound
from vr.server.hosts import connect
from vr.server.models import Host
from vr.server.resources import HOSTS
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    from_database,
    messages,
    response,
    rest,
)

_LOOK_AGAIN_SECONDS = 0.25
_SHORTEST_TAIL = 1024
_LONGEST_TAIL = 1024 * 1024
# A line is kept until it ends, but not for ever: a longer one comes in pieces, and so does one
# whose app says nothing more for so long, such as a question, or the last words of a crash.
_LONGEST_LINE = 64 * 1024
_PAUSE_SECONDS = 2.0


@authenticated
async def proc_log(request: HttpRequest, host: str, proc: str) -> HttpResponseBase:
    length = request.GET.get("bytes", "0")
    if not (length.isascii() and length.isdecimal() and len(length) < 10):
        raise InvalidInput(f"log of {proc}", [f"bytes: is {length!r}, but a number is expected"])
    known: Host = await from_database(HOSTS.get, host)
    connection = await from_database(connect, known.name)
    tail = min(max(int(length), _SHORTEST_TAIL), _LONGEST_TAIL)
    reader = await asyncio.to_thread(_follow, connection, proc, tail)
    parts = _parts(reader, connection, proc)
    if "text/event-stream" in request.headers.get("Accept", ""):
        return response(_events(parts))
    return response(_text(parts), "text/plain")


def _follow(connection: HostConnection, proc: str, length: int) -> LogReader:
    path = connection.supervisor.log_file(proc)
    if path is None:
        raise NotFound(f"{connection.name} has no proc {proc!r} with a log.")
    return connection.follow(path, length)


async def _parts(
    reader: LogReader, connection: HostConnection, proc: str
) -> AsyncIterator[bytes | None]:
    """Pieces of the log as they come; an empty one at first, and for every while of silence; None
    once when no more has come for a moment."""
    clock = asyncio.get_running_loop().time
    try:
        yield b""
        spoke = clock()
        is_pausing = True
        while True:
            if part := await asyncio.to_thread(reader.read):
                yield part
                await rest(len(part))
                spoke, is_pausing = clock(), False
                continue
            if not is_pausing and clock() - spoke > _PAUSE_SECONDS:
                yield None
                is_pausing = True
            if clock() - spoke > KEEP_ALIVE_SECONDS:
                if await asyncio.to_thread(_is_gone, connection, proc):
                    return
                yield b""
                spoke = clock()
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    finally:
        reader.close()


def _is_gone(connection: HostConnection, proc: str) -> bool:
    """Was the proc removed? Its log then says nothing for ever."""
    try:
        return connection.supervisor.get(proc) is None
    except VelociraptorError:
        return False


async def _events(parts: AsyncIterator[bytes | None]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pending = ""
    async for part in parts:
        if part is None:
            if pending:
                yield messages(pending)
            pending = ""
            continue
        if not part:
            yield KEEP_ALIVE
            continue
        pending += decoder.decode(part)
        complete, line_end, rest_of_it = pending.rpartition("\n")
        if len(rest_of_it) > _LONGEST_LINE:
            complete, line_end, rest_of_it = pending, "\n", ""
        if line_end:
            yield messages(complete)
        pending = rest_of_it


async def _text(parts: AsyncIterator[bytes | None]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for part in parts:
        if part is not None:
            yield decoder.decode(part)
