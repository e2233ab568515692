"""`/api/streams/proc_log/<host>/<proc>/`: a proc's log as it grows, from its Supervisor.

One event per line for readers that accept `text/event-stream`, else plain text. `?bytes=` asks
for more of the log's end to begin with than the last kilobyte, which is what Supervisor gives.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from vr.errors import InvalidInput, VelociraptorError
from vr.hosts.supervisor import HostUnreachable
from vr.server.api.errors import NotFound
from vr.server.api.resources import HOSTS
from vr.server.hosts import connect, is_local
from vr.server.models import Host
from vr.server.procs.actions import log_tail
from vr.server.streams.sse import (
    KEEP_ALIVE,
    KEEP_ALIVE_SECONDS,
    authenticated,
    from_database,
    message,
    response,
)

_TIMEOUT = httpx.Timeout(5, read=None)
_FIRST_PART_SECONDS = 1.0
_LONGEST_TAIL = 1024 * 1024
_SUPERVISOR_PORT = 9001


@authenticated
async def proc_log(request: HttpRequest, host: str, proc: str) -> HttpResponseBase:
    before = request.GET.get("bytes", "0")
    if not (before.isascii() and before.isdecimal() and len(before) < 10):
        raise InvalidInput(f"log of {proc}", [f"bytes: is {before!r}, but a number is expected"])
    known: Host = await from_database(HOSTS.get, host)
    client = _supervisor(known)
    try:
        tail = await client.send(client.build_request("GET", f"/logtail/{proc}"), stream=True)
    except httpx.TransportError as error:
        await client.aclose()
        raise HostUnreachable(
            f"The Supervisor of {host} can't be reached: {error}", hint="Is the host up?"
        ) from None
    if tail.status_code != 200:
        await tail.aclose()
        await client.aclose()
        raise NotFound(f"{host} has no proc {proc!r} with a log.")
    parts = _parts(client, tail, known, proc, min(int(before), _LONGEST_TAIL))
    if "text/event-stream" in request.headers.get("Accept", ""):
        return response(_events(parts))
    return response(_text(parts), "text/plain")


def _supervisor(host: Host) -> httpx.AsyncClient:
    """A client of a host's Supervisor: by its socket on this machine, by its port elsewhere."""
    url: str = settings.SUPERVISOR_URL
    if not is_local(host.name):
        url = f"http://{host.name}:{_SUPERVISOR_PORT}"
    if url.startswith("unix://"):
        transport = httpx.AsyncHTTPTransport(uds=url.removeprefix("unix://"))
        return httpx.AsyncClient(base_url="http://localhost", transport=transport, timeout=_TIMEOUT)
    return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False)


async def _parts(
    client: httpx.AsyncClient, tail: httpx.Response, host: Host, proc: str, before: int
) -> AsyncIterator[bytes]:
    """Pieces of the log as they come; an empty one for every while of silence."""
    raw = tail.aiter_raw()
    reading: asyncio.Future[bytes] | None = None
    try:
        seconds = _FIRST_PART_SECONDS
        is_first = True
        while True:
            reading = reading or asyncio.ensure_future(anext(raw))
            done, _ = await asyncio.wait({reading}, timeout=seconds)
            seconds = KEEP_ALIVE_SECONDS
            if not done:
                if not is_first and await asyncio.to_thread(_is_gone, host, proc):
                    return
                is_first = False
                yield b""
                continue
            part = reading.result()
            reading = None
            if is_first and before > len(part):
                yield await _earlier(host, proc, before, part)
            is_first = False
            yield part
    except (StopAsyncIteration, httpx.TransportError):
        # The proc was removed, or Supervisor stopped: that is the end of the log.
        return
    finally:
        if reading:
            reading.cancel()
            with suppress(BaseException):
                await reading
        await tail.aclose()
        await client.aclose()


def _is_gone(host: Host, proc: str) -> bool:
    """Was the proc removed? Supervisor would keep quiet about its log for ever."""
    try:
        return connect(host.name).supervisor.get(proc) is None
    except VelociraptorError:
        return False


async def _earlier(host: Host, proc: str, length: int, part: bytes) -> bytes:
    """What stands in the log's last `length` bytes before `part`, its end a moment ago."""
    try:
        end = await asyncio.to_thread(log_tail, host, proc, length)
    except VelociraptorError:
        return b""
    return end[: max(end.rfind(part), 0)]


async def _events(parts: AsyncIterator[bytes]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pending = ""
    yield KEEP_ALIVE
    async for part in parts:
        if not part:
            yield KEEP_ALIVE
            continue
        *lines, pending = (pending + decoder.decode(part)).split("\n")
        for line in lines:
            yield message(line.rstrip("\r"))
    if pending:
        yield message(pending)


async def _text(parts: AsyncIterator[bytes]) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for part in parts:
        yield decoder.decode(part)
