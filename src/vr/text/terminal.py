"""What programs wrote for a terminal, made fit for a page, a message or another terminal."""

from __future__ import annotations

import re

# Colours and cursor moves; titles, links and other strings, of one line; single escapes.
_SEQUENCE = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)
_COLOUR = r"\x1b\[[0-9;]*m"
# All but tab, newline and, where a progress line overwrites itself, carriage return. U+009B is an
# escape with its bracket in one character.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"

_ALL = re.compile(f"{_SEQUENCE}|{_CONTROL}")
_STEERING = re.compile(rf"(?!{_COLOUR})(?:{_SEQUENCE})|(?!\x1b){_CONTROL}|\r")


def plain(text: str) -> str:
    """The text as it was to be read: no escapes, lines that overwrite themselves at their last."""
    lines = _ALL.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def harmless(text: str) -> str:
    """The text for another terminal, without all that would steer it; colours stay."""
    return _STEERING.sub("", text)
