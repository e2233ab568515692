"""A terminal with a command on it, as a user has one: keys are typed, and what it shows is read."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from support.waiting import until


class Terminal:
    """The outer end of a terminal whose inner end `argv` runs on."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.outer, self.inner = pty.openpty()
        self.resize(30, 90)
        self.seen = self.before = b""
        self.process = subprocess.Popen(
            argv,
            env=dict(environment),
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner,
            start_new_session=True,
            # The terminal that controls it tells it of interrupts and new sizes.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.outer, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def shows(self, text: bytes) -> None:
        """Wait until it shows the text after what was waited for before."""
        try:
            until(lambda: self._has(text), f"{text!r} shows")
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows {self.seen!r}") from None
        self.before, _text, self.seen = self.seen.partition(text)

    def _has(self, text: bytes) -> bool:
        if text in self.seen:
            return True
        if select.select([self.outer], [], [], 0.1)[0]:
            try:
                self.seen += os.read(self.outer, 4096)
            except OSError:
                raise AssertionError(f"the command ended too early: {self.seen!r}") from None
        return text in self.seen

    def ended(self) -> int:
        until(lambda: self.process.poll() is not None, "the command ends")
        assert self.process.returncode is not None
        return self.process.returncode


@contextmanager
def terminal(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """A new terminal with `argv` on it; both are gone after the block."""
    made = Terminal(argv, environment)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        os.close(made.outer)
        os.close(made.inner)
