"""What a request may send, and who: looked at as it comes, before anything is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from django.http import HttpResponse

from vr.server.answers import readable, refusal

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Gate = Callable[[Scope], Awaitable[HttpResponse | None]]
"""Why whoever sends the request may not send much; None if they may."""

STRANGERS_BYTES = 64 << 10
"""What anybody may send: more than the form of a login has."""
_FORM_BYTES = 64 << 10
"""What a form adds to the file in it."""
# Clients that send all before they read an answer would lose it were the connection cut at once.
_LINGER_SECONDS = 5.0


class BodyLimit:
    """An ASGI application around another one, which sees no body that is larger than allowed, and
    none above STRANGERS_BYTES of somebody whom `gate` refuses.

    `uploads` are the beginnings of the paths that take files of up to `upload_bytes`; others take
    `most_bytes`.
    """

    def __init__(
        self,
        application: Application,
        *,
        uploads: tuple[str, ...],
        upload_bytes: int,
        most_bytes: int,
        gate: Gate,
    ) -> None:
        self._application = application
        self._uploads = uploads
        self._upload_bytes = upload_bytes
        self._most_bytes = most_bytes
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        announced = _announced(scope)
        is_known = announced > STRANGERS_BYTES
        if is_known and (refused := await self._why_not(scope, announced)) is not None:
            await _refuse(refused, receive, send)
            return
        size = 0
        refusals: list[HttpResponse] = []

        async def counted() -> Message:
            nonlocal size, is_known
            if refusals:
                return {"type": "http.disconnect"}
            message = await receive()
            size += len(message.get("body", b""))
            if size > STRANGERS_BYTES and (not is_known or size > self._most(scope)):
                is_known = True
                if (refused := await self._why_not(scope, size)) is not None:
                    refusals.append(refused)
                    return {"type": "http.disconnect"}
            return message

        async def sent(message: Message) -> None:
            # Whatever it says to a client who seems to be gone is not what is to be said.
            if not refusals:
                await send(message)

        await self._application(scope, counted, sent)
        for refused in refusals:
            await _refuse(refused, receive, send)

    def _most(self, scope: Scope) -> int:
        is_upload = scope["path"].startswith(self._uploads)
        return self._upload_bytes + _FORM_BYTES if is_upload else self._most_bytes

    async def _why_not(self, scope: Scope, size: int) -> HttpResponse | None:
        limit = self._most(scope)
        if size <= limit:
            return await self._gate(scope)
        sentence = f"The request is too large: at most {limit >> 20} MB may be sent."
        told = refusal(413, sentence, hint="VR_UPLOAD_MB sets the limit of uploads.")
        return readable(scope["path"], told)


def _announced(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(response: HttpResponse, receive: Receive, send: Send) -> None:
    """Answer, and end the connection; what is still coming is let go unread."""
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["Connection"] = "close"
    headers = [(name.lower().encode(), text.encode()) for name, text in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    break
    await send({"type": "http.response.body", "body": b""})
