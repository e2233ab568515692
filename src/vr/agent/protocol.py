"""Supervisor's event listener protocol over two streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

_READY = b"READY\n"
_DONE = b"RESULT 2\nOK"


@dataclass(frozen=True)
class Notice:
    """One event: its name, the `key:value` pairs of its payload, and what follows them."""

    event: str
    payload: dict[str, str] = field(default_factory=dict)
    data: str = ""


def pairs(line: str) -> dict[str, str]:
    """The `key:value` pairs of a header line; words without a colon are left out."""
    return dict(word.split(":", 1) for word in line.split() if ":" in word)


def parse(header: str, body: str) -> Notice:
    """A notice from its header line and its payload."""
    first, _, rest = body.partition("\n")
    return Notice(pairs(header)["eventname"], pairs(first), rest)


class Protocol:
    """READY, an event, RESULT, and again."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._stdin = stdin
        self._stdout = stdout

    def wait(self) -> Notice | None:
        """The next event; None when Supervisor has gone."""
        self._say(_READY)
        header = self._stdin.readline().decode()
        if not header:
            return None
        length = int(pairs(header)["len"])
        body = self._stdin.read(length)
        return parse(header, body.decode(errors="replace")) if len(body) == length else None

    def acknowledge(self) -> None:
        """Tell Supervisor that the event is done with."""
        self._say(_DONE)

    def _say(self, text: bytes) -> None:
        self._stdout.write(text)
        self._stdout.flush()
