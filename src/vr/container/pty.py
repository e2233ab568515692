"""A pseudo-terminal of a container's own /dev/pts, so that its name there is the one it has inside.

The start script says when /dev/pts is there, is told the terminal's name, opens it, which makes it
the terminal that controls its session, and says so (script.py).
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import termios
from contextlib import ExitStack

from vr.container import cgroups
from vr.container.launch import Running
from vr.errors import VelociraptorError

_SET_LOCK = 0x40045431  # TIOCSPTLCK
_GET_NUMBER = 0x80045430  # TIOCGPTN
_GET_PEER = 0x5441  # TIOCGPTPEER
_PTMX = os.makedev(5, 2)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TERMINAL = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC


def open_terminal(running: Running, size: bytes) -> int:
    """Give a container that was started with `own_terminal` its terminal; returns the other end.

    `size` is a struct winsize, which the terminal has from its first moment. Raises
    VelociraptorError if the container can't be started, or ends before it has its terminal.
    """
    assert running.stdin
    _await_line(running)
    outer, inner, number = _make(running)
    try:
        fcntl.ioctl(outer, termios.TIOCSWINSZ, size)
        os.fchown(inner, *running.container.owner)
        running.stdin.write(f"/dev/pts/{number}\n".encode())
        running.stdin.flush()
        _await_line(running)
    except BaseException:
        os.close(outer)
        raise
    finally:
        # Not before the container has it: a terminal that nobody holds is at its end.
        os.close(inner)
    return outer


def _await_line(running: Running) -> None:
    assert running.stdout
    if running.stdout.readline() != b"\n":
        code = running.wait()
        raise VelociraptorError(
            f"The container {running.container.name} ended with status {code} before it had a "
            "terminal."
        )


def _make(running: Running) -> tuple[int, int, int]:
    """Both ends, and the number by which /dev/pts of the container has it."""
    with ExitStack() as opened:

        def kept(descriptor: int) -> int:
            opened.callback(os.close, descriptor)
            return descriptor

        # Step by step, as what a container's root makes of links here would be the host's files.
        pid = min(cgroups.processes(running.container.name))
        folder = kept(os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for part in ("dev", "pts"):
            folder = kept(os.open(part, _FOLDER, dir_fd=folder))
        found = os.stat("ptmx", dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISCHR(found.st_mode) or found.st_rdev != _PTMX:
            raise VelociraptorError(
                f"The container {running.container.name} has no /dev/pts/ptmx to make a terminal."
            )
        outer = os.open("ptmx", _TERMINAL | os.O_NOFOLLOW, dir_fd=folder)
        try:
            fcntl.ioctl(outer, _SET_LOCK, struct.pack("i", 0))
            (number,) = struct.unpack("i", fcntl.ioctl(outer, _GET_NUMBER, bytes(4)))
            inner = fcntl.ioctl(outer, _GET_PEER, _TERMINAL)
        except BaseException:
            os.close(outer)
            raise
    return outer, inner, number
