"""Style sheets, scripts and icons, served from the web process itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise for an asynchronous server, which it alone would make read each file whole."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        super().__init__(get_response)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        # Collecting them is optional, as each package's own are found too.
        if Path(root).is_dir():
            super().add_files(root, prefix)

    def __call__(self, request: HttpRequest) -> Answer:
        answer: Answer = super().__call__(request)
        return _without_blocking(answer) if self._is_async else answer


async def _without_blocking(answer: Answer) -> HttpResponseBase:
    """The answer of the rest of the server, or a file of ours, read beside the event loop."""
    if not isinstance(answer, HttpResponseBase):
        return await answer
    if isinstance(answer, StreamingHttpResponse):
        answer.streaming_content = _read(iter(answer))
    return answer


async def _read(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    end: Any = object()
    while (chunk := await asyncio.to_thread(next, chunks, end)) is not end:
        yield chunk
