"""A listening socket that outlasts its process: `vr up` holds it while web is replaced.

It is taken from the process that listens, with the kernel's pidfd_getfd, and handed to the next
one through a socket of its own. Connections that come in between wait in its queue.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIDFD_GETFD = 438  # the same number on every architecture
_TAKE_SECONDS = 2.0


def of_process(pid: int, address: str, port: int) -> socket.socket | None:
    """The socket at which the process listens there; None if it doesn't, or the kernel (before
    5.6, or a sandbox) doesn't give it."""
    for found in _listening(pid):
        if found.getsockname()[:2] == (address, port):
            return found
        found.close()
    return None


def addresses(pid: int) -> set[tuple[str, int]]:
    """The addresses and ports of TCP that the process listens at, as far as the kernel tells."""
    found = set()
    for one in _listening(pid):
        with one:
            if one.family in {socket.AF_INET, socket.AF_INET6}:
                found.add(one.getsockname()[:2])
    return found


def _listening(pid: int) -> Iterator[socket.socket]:
    """Copies of the sockets at which the process listens: the caller closes them."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return
    try:
        for descriptor in _sockets(pid):
            found = _copy(process, descriptor)
            if found and _listens(found):
                yield found
            elif found:
                found.close()
    finally:
        os.close(process)


@contextmanager
def held(listening: socket.socket | None, handover: Path) -> Iterator[None]:
    """Give the socket to whoever connects to `handover`, until the block ends. Then it is
    closed here, and lives on in who took it. With None nothing is held."""
    handover.unlink(missing_ok=True)
    if listening is None:
        yield
        return
    with listening, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        mask = os.umask(0o177)
        try:
            door.bind(str(handover))
        finally:
            os.umask(mask)
        door.listen()
        giver = threading.Thread(target=_give, args=(door, listening), daemon=True)
        giver.start()
        try:
            yield
        finally:
            # Wakes `accept`, which closing would not.
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            giver.join()
            handover.unlink(missing_ok=True)


def take(handover: Path, address: str, port: int) -> socket.socket | None:
    """The listening socket that is held at `handover`; None if none is, or another one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TAKE_SECONDS)
        try:
            connection.connect(str(handover))
            _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
        except OSError:
            return None
    for descriptor in descriptors:
        found = socket.socket(fileno=descriptor)
        if _listens(found) and found.getsockname()[:2] == (address, port):
            return found
        found.close()
    return None


def _give(door: socket.socket, listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = door.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            socket.send_fds(connection, [b"\0"], [listening.fileno()])


def _sockets(pid: int) -> Iterator[int]:
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for entry in entries:
        with suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                yield int(entry.name)


def _copy(process: int, descriptor: int) -> socket.socket | None:
    libc = ctypes.CDLL(None, use_errno=True)
    copied = libc.syscall(_PIDFD_GETFD, process, descriptor, 0)
    return None if copied < 0 else socket.socket(fileno=copied)


def _listens(found: socket.socket) -> bool:
    try:
        return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
