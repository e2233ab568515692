"""The web process of the stack: uvicorn, on a socket that outlasts it.

    python -m vr.up.web ADDRESS PORT HANDOVER

While `vr up` replaces it, the listening socket is at HANDOVER (see listener.py): connections wait
in its queue for the new process instead of being refused. Else it listens by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from vr.up import listener

_GRACEFUL_SECONDS = 2


def main() -> None:
    address, port, handover = sys.argv[1:]
    config = uvicorn.Config(
        "vr.server.asgi:application",
        host=address,
        port=int(port),
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        access_log=False,
    )
    held = listener.take(Path(handover), address, int(port))
    server = uvicorn.Server(config)
    server.run(sockets=[held or config.bind_socket()])
    if not server.started:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
