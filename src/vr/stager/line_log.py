"""Output as lines, but not without end: an app may print faster than anybody reads."""

from __future__ import annotations

from collections.abc import Callable

_LONGEST_LINE = 4096
_MOST_BYTES = 2 << 20


class LineLog:
    """Gives whole lines to `sink`, without their ends; what is too much is counted only."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink
        self._rest = b""
        self._written = self._left_out = 0

    def write(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > _LONGEST_LINE:
            self._emit(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]

    def finish(self) -> None:
        """Emit an unfinished line, and say how much was left out."""
        if self._rest:
            self._emit(self._rest)
            self._rest = b""
        if self._left_out:
            self._sink(f"({self._left_out} more lines were printed)")

    def _emit(self, line: bytes) -> None:
        if self._written > _MOST_BYTES:
            self._left_out += 1
            return
        line = line.rstrip(b"\r").rpartition(b"\r")[2][:_LONGEST_LINE]
        self._written += len(line) + 1
        self._sink(line.decode(errors="replace"))
