"""How much a request may send: counted as it comes, before anything is kept of it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

OTHERS_BYTES = 16 << 20
_FORM_BYTES = 64 << 10
"""What a form adds to the file in it."""


class BodyLimit:
    """An ASGI application around another one, which never sees a body larger than allowed.

    `uploads` are the beginnings of the paths that take files of up to `upload_bytes`.
    """

    def __init__(
        self, application: Application, *, uploads: tuple[str, ...], upload_bytes: int
    ) -> None:
        self._application = application
        self._uploads = uploads
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        is_upload = scope["path"].startswith(self._uploads)
        limit = self._upload_bytes + _FORM_BYTES if is_upload else OTHERS_BYTES
        if _announced(scope) > limit:
            await _refuse(send, limit)
            return
        size, exceeded = 0, False

        async def counted() -> Message:
            nonlocal size, exceeded
            message = await receive()
            size += len(message.get("body", b""))
            if size <= limit:
                return message
            exceeded = True
            return {"type": "http.disconnect"}

        async def sent(message: Message) -> None:
            # Whatever it says to a client who seems to be gone is not what is to be said.
            if not exceeded:
                await send(message)

        await self._application(scope, counted, sent)
        if exceeded:
            await _refuse(send, limit)


def _announced(scope: Message) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send, limit: int) -> None:
    sentence = f"The request is too large: at most {limit >> 20} MB may be sent."
    document = {"error": sentence, "problems": [], "status": 413}
    document["hint"] = "VR_UPLOAD_MB sets the limit of uploads."
    body = json.dumps(document).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
