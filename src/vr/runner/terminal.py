"""A terminal for a process in a session of its own: job control, window size, raw keys."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import termios
import tty
from types import FrameType, TracebackType


def window_size() -> bytes:
    """The size of this process's own terminal, as a struct winsize."""
    return fcntl.ioctl(sys.stdin, termios.TIOCGWINSZ, bytes(8))


class Terminal:
    """Joins `outer`, a pseudo-terminal's end, to this process's own terminal in a `with` block.

    The block closes `outer`.
    """

    def __init__(self, outer: int) -> None:
        self._outer = outer

    def __enter__(self) -> Terminal:
        self._saved = termios.tcgetattr(sys.stdin)
        self._handler = signal.signal(signal.SIGWINCH, self._copy_size)
        self._copy_size()  # again: it may have changed before the handler was there
        # What was typed already is kept: it is for the process.
        tty.setraw(sys.stdin, termios.TCSADRAIN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)
        signal.signal(signal.SIGWINCH, self._handler)
        os.close(self._outer)

    def relay(self) -> None:
        """Carry keys in and output out until the process and its children have closed it."""
        keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
        sources = [keyboard, self._outer]
        while True:
            ready, _, _ = select.select(sources, [], [])
            if self._outer in ready:
                try:
                    data = os.read(self._outer, 1 << 16)
                except OSError:  # how Linux says that the last holder is gone
                    return
                _write_all(screen, data)
            if keyboard in ready:
                keys = os.read(keyboard, 1 << 12)
                if keys:
                    _write_all(self._outer, keys)
                else:
                    sources.remove(keyboard)

    def _copy_size(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        fcntl.ioctl(self._outer, termios.TIOCSWINSZ, window_size())


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
