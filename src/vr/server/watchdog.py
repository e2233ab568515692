"""A web process that hangs ends, so that its supervisor starts another.

Every few seconds the process serves a page to itself. Unless that comes to an end, with whatever
status, a timer of the interpreter writes what all threads are at to the log and ends the process.
The timer needs neither the event loop nor Python's lock: it also fires when one of them is held
for ever.
"""

from __future__ import annotations

import asyncio
import faulthandler
from contextlib import suppress
from typing import Any

from vr.server.files.limit import Application, Message, Receive, Send

# More than a database may keep a page waiting (see its timeout in the settings).
HANG_SECONDS = 60.0
_EVERY_SECONDS = 5.0


class Watched:
    """An ASGI application around another one, whose page `path` shows whether it still serves."""

    def __init__(
        self,
        application: Application,
        *,
        path: str,
        hang_seconds: float = HANG_SECONDS,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        self._application = application
        self._path = path
        self._hang_seconds = hang_seconds
        self._every_seconds = every_seconds

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return
        await receive()
        watching = asyncio.create_task(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        try:
            while True:
                faulthandler.dump_traceback_later(self._hang_seconds, exit=True)
                # A page that fails was served, too.
                with suppress(Exception):
                    await self._look()
                await asyncio.sleep(self._every_seconds)
        finally:
            faulthandler.cancel_dump_traceback_later()

    async def _look(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 0),
        }
        asked = False
        never = asyncio.Event()

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await never.wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            pass

        await self._application(scope, receive, send)
