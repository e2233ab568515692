"""A client that sends requests at a steady rate and keeps what came back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Load:
    """`rate` requests a second to `host` through 127.0.0.1:`port`, each on its own connection.

    A failed request is one that got no complete answer, or an answer other than 200.
    """

    port: int
    host: str
    rate: int
    path: str = "/"
    # The header of the answers that tells who answered.
    header: str = "X-Shop-Version"
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    def __enter__(self) -> Load:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        started = time.monotonic()
        under_way: set[asyncio.Task[None]] = set()
        while not self._stop.is_set():
            # Requests that are due by now, so that a slow moment doesn't lower the rate.
            while self.sent < (time.monotonic() - started) * self.rate:
                self.sent += 1
                task = asyncio.create_task(self._request())
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(1 / self.rate)
        self.seconds = time.monotonic() - started
        await asyncio.gather(*under_way)

    async def _request(self) -> None:
        try:
            answer = await asyncio.wait_for(self._exchange(), timeout=20)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return
        head = answer.partition(b"\r\n\r\n")[0].decode(errors="replace")
        status, *lines = head.split("\r\n")
        if status.split(" ")[1:2] != ["200"]:
            self.failures.append(status or "empty answer")
            return
        headers = dict(line.partition(": ")[::2] for line in lines)
        self.versions[headers.get(self.header, "(none)")] += 1

    async def _exchange(self) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            lines = [f"GET {self.path} HTTP/1.1", f"Host: {self.host}", "Connection: close"]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            return await reader.read(-1)
        finally:
            writer.close()
