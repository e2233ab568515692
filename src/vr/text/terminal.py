"""What programs wrote for a terminal, made fit for a page, a message or another terminal."""

from __future__ import annotations

import os
import re
from typing import TextIO

# Terminals act on these even inside a sequence, which then goes on; the newline is left alone, as
# no sequence may reach into the next line, nor CAN, SUB and ESC, which end one.
_INNER = r"\x00-\x09\x0b-\x17\x19\x1c-\x1f\x7f"
# Colours and cursor moves; titles, links and other strings, of one line; single escapes. Those of
# C1 are an escape and its second character in one. What is cut off is a sequence as well.
_SEQUENCE = (
    rf"(?:\x1b[{_INNER}]*\[|\x9b)[{_INNER}0-?]*[{_INNER} -/]*[@-~]?"
    rf"|(?:\x1b[{_INNER}]*[\]PX^_]|[\x90\x98\x9d-\x9f])"
    r"[^\n\x07\x18\x1a\x1b\x9c]*(?:[\x07\x18\x1a\x9c]|\x1b\\)?"
    rf"|\x1b[{_INNER} -/]*[0-~]?"
)
_COLOUR = r"\x1b\[[0-9;]*m"
# All but tab, newline and, where a progress line overwrites itself, carriage return.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"

_ALL = re.compile(f"{_SEQUENCE}|{_CONTROL}")
_STEERING = re.compile(rf"(?!{_COLOUR})(?:{_SEQUENCE})|(?!\x1b){_CONTROL}|\r")
_DUMB = frozenset({"", "dumb", "unknown"})
# They make text read otherwise than it is: embeddings, overrides, isolates and their ends.
_BIDIRECTIONAL = {
    code: f"<U+{code:04X}>" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def can_redraw(stream: TextIO) -> bool:
    """Is it a terminal on which what was written can be written over?"""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in _DUMB


def plain(text: str) -> str:
    """The text as it was to be read: no escapes, lines that overwrite themselves at their last."""
    lines = _shown(_ALL.sub("", text)).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def harmless(text: str) -> str:
    """The text for another terminal, without all that would steer it; colours stay."""
    return _shown(_STEERING.sub("", text))


def _shown(text: str) -> str:
    """The text with what turns its direction written out."""
    return text.translate(_BIDIRECTIONAL)
