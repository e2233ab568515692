"""Requests that are too large, or of strangers, are refused before anything is kept of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.http import HttpResponse

from vr.server.answers import unauthorized
from vr.server.files.limit import STRANGERS_BYTES, BodyLimit

LARGEST, OTHERS_BYTES = 1 << 20, 16 << 20
UPLOAD, OTHER = "/files/farm/x", "/api/v1/apps/"


def ask(
    path: str, chunks: list[bytes], *, announced: bool = False, known: bool = True
) -> tuple[int, bytes, int]:
    """Send chunks to an application that reads all; status, body, and how much it has read."""
    read = 0

    async def gate(scope: Any) -> HttpResponse | None:
        return None if known else unauthorized()

    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        nonlocal read
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            read += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async def run() -> list[Any]:
        waiting = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
        waiting[-1]["more_body"] = False
        sent: list[Any] = []

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        length = str(sum(map(len, chunks))).encode()
        headers = [(b"content-length", length)] if announced else []
        limited = BodyLimit(
            reads_all,
            uploads=("/files/farm/",),
            upload_bytes=LARGEST,
            most_bytes=OTHERS_BYTES,
            gate=gate,
        )
        await limited({"type": "http", "path": path, "headers": headers}, receive, send)
        return sent

    start, *bodies = asyncio.run(run())
    return start["status"], b"".join(body["body"] for body in bodies), read


def test_what_is_within_its_limit_passes() -> None:
    assert ask(UPLOAD, [b"x" * LARGEST], announced=True) == (200, b"fine", LARGEST)
    assert ask(OTHER, [b"x" * LARGEST] * 3) == (200, b"fine", 3 * LARGEST)


def test_a_length_above_the_limit_is_refused_before_it_comes() -> None:
    status, body, read = ask(UPLOAD, [b"x" * LARGEST] * 3, announced=True)
    assert (status, read) == (413, 0)
    assert "VR_UPLOAD_MB" in json.loads(body)["hint"]


def test_an_unannounced_body_is_refused_when_it_has_grown_too_large() -> None:
    status, _, read = ask(UPLOAD, [b"x" * LARGEST] * 5)
    assert (status, read) == (413, LARGEST)
    status, _, read = ask(OTHER, [b"x" * OTHERS_BYTES, b"x", b"x"])
    assert (status, read) == (413, OTHERS_BYTES)


def test_strangers_send_little_wherever_it_goes() -> None:
    little, more = b"x" * STRANGERS_BYTES, b"x" * (STRANGERS_BYTES + 1)
    for path in (UPLOAD, OTHER, "/login/"):
        for announced in (True, False):
            assert ask(path, [little], announced=announced, known=False)[0] == 200
            status, body, read = ask(path, [more], announced=announced, known=False)
            assert (status, read) == (401, 0), path
            assert b"Log in" in body
    status, _, read = ask(OTHER, [little, b"x", b"x" * 9], known=False)
    assert (status, read) == (401, STRANGERS_BYTES)


def test_people_are_told_by_a_page() -> None:
    _, body, _ = ask("/build/9/", [b"x" * (OTHERS_BYTES + 1)], announced=True)
    assert body.startswith(b"<!doctype html>") and b"at most 16 MB" in body
