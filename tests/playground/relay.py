"""From a port of one network to addresses of another that it has no leg in."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

Address = tuple[str, int]
_PIECE = 65536


@contextlib.contextmanager
def relay(
    listener: socket.socket,
    to: Sequence[Address],
    network: Callable[[], contextlib.AbstractContextManager[None]],
) -> Iterator[None]:
    """Pass connections to `listener`, which is closed in the end, on to the addresses in turn,
    which are reached within `network`."""
    turns = cycle(to)

    def accept() -> None:
        with network():
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_connect, args=(near, next(turns)), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        # Closing alone wakes nobody who waits for a connection.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _connect(near: socket.socket, address: Address) -> None:
    # A thread begins in the network of the one that started it.
    try:
        far = socket.create_connection(address, timeout=10)
    except OSError:
        near.close()
        return
    far.settimeout(None)
    back = threading.Thread(target=_pump, args=(far, near), daemon=True)
    back.start()
    _pump(near, far)
    back.join()
    near.close()
    far.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
