"""Requests that are too large are refused before anything is kept of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from vr.server.files.limit import OTHERS_BYTES, BodyLimit

LARGEST = 1 << 20
UPLOAD, OTHER = "/files/farm/x", "/api/v1/apps/"


def ask(path: str, chunks: list[bytes], *, announced: bool = False) -> tuple[int, bytes, int]:
    """Send chunks to an application that reads all; status, body, and how much it has read."""
    read = 0

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
            return waiting.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        length = str(sum(map(len, chunks))).encode()
        headers = [(b"content-length", length)] if announced else []
        limited = BodyLimit(reads_all, uploads=("/files/farm/",), upload_bytes=LARGEST)
        await limited({"type": "http", "path": path, "headers": headers}, receive, send)
        return sent

    start, body = asyncio.run(run())
    return start["status"], body["body"], read


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
