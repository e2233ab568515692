"""Downloads from the file store, by nginx where the request came through it, else from here.

GET and HEAD, with ETag, length and a single byte range, so that a broken download can go on where
it stopped. A file is sent in pieces as the reader takes them, never read whole.
"""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from vr.server.answers import refusal
from vr.server.files import links, store

_CHUNK = 256 * 1024
# With this header nginx says where it keeps the store to itself; docs/api.md shows how.
_NGINX_HAS_FILES = "X-Accel-Prefix"
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)\Z")


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


def requested_span(header: str, size: int) -> Span | None:
    """The part of a file of `size` bytes that a Range header asks for; all of it without one.

    None if nothing of that part exists (HTTP 416). A header of another form is ignored, as
    HTTP demands.
    """
    match = _RANGE.match(header)
    if not match or match.groups() == ("", ""):
        return Span(0, size)
    first, last = match.groups()
    if not first:
        return Span(max(0, size - int(last)), size) if int(last) else None
    start = int(first)
    stop = min(size, int(last) + 1) if last else size
    return Span(start, stop) if start < stop else None


@csrf_exempt
async def download(request: HttpRequest, signature: str, name: str) -> HttpResponseBase:
    """GET or HEAD of one file; 403 for a link that was changed, 410 for an expired one."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    try:
        stored = links.name_from_signature(signature)
        path = store.path_of(stored)
    except SignatureExpired:
        return refusal(
            410, "This link has expired; get a new one from the build's or image's page."
        )
    except (BadSignature, ValueError):
        return refusal(403, "This link is not signed by this server; copy it whole.")
    if store.in_bucket():
        # A link from before there was one.
        return HttpResponseRedirect(await asyncio.to_thread(links.link, stored))
    if not path.is_file():
        return refusal(404, f"{name} is not in the file store any more.")
    return serve(request, path)


def serve(request: HttpRequest, path: Path) -> HttpResponseBase:
    """The answer to a GET or HEAD of the store's file `path`, or of the span that is asked for."""
    headers = {
        "Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
    }
    if address := _address_for_nginx(request, path):
        return HttpResponse(headers=headers | {"X-Accel-Redirect": address})
    stat = path.stat()
    headers |= {
        # A file of the store never changes in place, except a log, which grows.
        "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        "Last-Modified": http_date(stat.st_mtime),
        "Accept-Ranges": "bytes",
    }
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    span = requested_span(request.headers.get("Range", ""), stat.st_size)
    if span is None:
        told = refusal(416, f"{path.name} has no such part; it has {stat.st_size} bytes.")
        told.headers["Content-Range"] = f"bytes */{stat.st_size}"
        return told
    headers["Content-Length"] = str(span.length)
    partial = span.length < stat.st_size
    if partial:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{stat.st_size}"
    status = 206 if partial else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(_chunks(path, span), status=status, headers=headers)


def _address_for_nginx(request: HttpRequest, path: Path) -> str:
    """Where the nginx in front of this server has the file; empty if the request came another way.

    Who claims to be nginx without being it learns the file's name, which the link tells anyway.
    """
    prefix = settings.ACCEL_PREFIX
    if not prefix or request.headers.get(_NGINX_HAS_FILES) != prefix:
        return ""
    name = path.relative_to(Path(settings.FILES_ROOT).resolve())
    return quote(f"{prefix.rstrip('/')}/{name}")


async def _chunks(path: Path, span: Span) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        file.seek(span.start)
        left = span.length
        while left and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
    finally:
        file.close()
