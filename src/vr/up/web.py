"""The web process of the stack: uvicorn, on a socket that outlasts it.

    python -m vr.up.web ADDRESS PORT HANDOVER READY

While `vr up` replaces it, the listening socket is at HANDOVER (see listener.py), and others serve
at it, too. Else it listens by itself. The file READY gets its pid when it takes requests.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn

from vr.files.atomic import write_atomic
from vr.up import listener

_GRACEFUL_SECONDS = 2


class _Server(uvicorn.Server):
    """uvicorn, which says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Path) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            write_atomic(self._ready, str(os.getpid()), mode=0o600, sync=False)


def main() -> None:
    address, port, handover, ready = sys.argv[1:]
    config = uvicorn.Config(
        "vr.server.asgi:application",
        host=address,
        port=int(port),
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        access_log=False,
    )
    held = listener.take(Path(handover), address, int(port))
    server = _Server(config, Path(ready))
    server.run(sockets=[held or config.bind_socket()])
    if not server.started:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
