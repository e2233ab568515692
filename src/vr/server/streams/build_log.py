"""`/api/streams/build_log/<build id>/`: the compile log as it grows, a line per event.

Events carry the offset after their line in bytes, so that a reader who comes back goes on there.
When the build has ended and all is sent, an event `end` with `{"status", "error"}` is the last.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.server.files import store
from vr.server.models import Build, BuildStatus
from vr.server.resources import BUILDS
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    from_database,
    message,
    response,
    rest,
)

_LOOK_AGAIN_SECONDS = 0.25
# Each look is a request, and logs are sent there once a second.
_LOOK_AGAIN_IN_BUCKET_SECONDS = 1.0
_AT_ONCE = 256 * 1024
_GOES_ON = {BuildStatus.PENDING, BuildStatus.STARTED}


@authenticated
async def build_log(request: HttpRequest, build_id: str) -> HttpResponseBase:
    build: Build = await from_database(BUILDS.get, build_id)
    last = request.headers.get("Last-Event-ID", "")
    offset = int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else 0
    return response(_growing(build, offset))


async def _growing(build: Build, offset: int) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    spoke = clock()
    yield KEEP_ALIVE
    while True:
        # The state is read before the file: what an ended build wrote is in the file by then.
        await from_database(build.refresh_from_db)
        ended = build.status not in _GOES_ON
        while chunk := await asyncio.to_thread(_read, build, offset):
            lines, used = complete_lines(chunk, to_the_end=ended)
            told = []
            for length, line in lines:
                offset += length
                told.append(message(line, id=str(offset)))
            if told:
                yield "".join(told)
                await rest(used)
            spoke = clock()
            if not used:
                break
        if ended:
            break
        if clock() - spoke > KEEP_ALIVE_SECONDS:
            spoke = clock()
            yield KEEP_ALIVE
        await asyncio.sleep(
            _LOOK_AGAIN_IN_BUCKET_SECONDS if store.in_bucket() else _LOOK_AGAIN_SECONDS
        )
    yield message(json.dumps({"status": build.status, "error": build.error}), event="end")


def complete_lines(chunk: bytes, *, to_the_end: bool) -> tuple[list[tuple[int, str]], int]:
    """Lines of `chunk` with their lengths in bytes, and how many bytes they use.

    A last line without its line end waits for the rest, unless nothing comes any more
    (`to_the_end`) or it fills the whole chunk. What a carriage return overwrote is dropped, as
    on a terminal.
    """
    if not to_the_end and len(chunk) < _AT_ONCE:
        chunk = chunk[: chunk.rfind(b"\n") + 1]
    lines = list(_lines(chunk))
    return lines, sum(length for length, _ in lines)


def _lines(chunk: bytes) -> Iterator[tuple[int, str]]:
    for raw in chunk.split(b"\n")[:-1]:
        yield len(raw) + 1, _shown(raw)
    if rest := chunk.rpartition(b"\n")[2]:
        yield len(rest), _shown(rest)


def _shown(raw: bytes) -> str:
    return raw.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace")


def _read(build: Build, offset: int) -> bytes:
    if not build.compile_log:
        return b""
    try:
        return store.read(build.compile_log, offset, _AT_ONCE)
    except FileNotFoundError:
        # Not begun yet.
        return b""
