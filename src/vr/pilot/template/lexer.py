"""Template text to text and actions, actions to tokens."""

from __future__ import annotations

import re
from typing import NamedTuple

from vr.pilot.template.errors import at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_SPACES = " \t\r\n"
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<char>'(?:[^'\\\n]|\\.)+')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.]))
  | (?P<field>\.[^\W\d]\w*)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<declare>:=)
  | (?P<mark>[().,|=])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))"
)
_NAMED_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Token(NamedTuple):
    """`kind` is a name of the pattern above, or `text` for what is outside of actions, or `end`
    for the closing braces. `glued`: no space before it."""

    kind: str
    value: str
    position: int
    glued: bool = False


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a template; raises TemplateError."""
    position = 0
    trim_next = False
    while True:
        start = text.find("{{", position)
        literal = text[position:] if start < 0 else text[position:start]
        if trim_next:
            literal = literal.lstrip(_SPACES)
        inner = start + 2
        trimmed = start >= 0 and text[inner : inner + 1] == "-" and _space(text, inner + 1)
        if trimmed:
            literal = literal.rstrip(_SPACES)
            inner += 2
        if literal:
            yield Token("text", literal, position)
        if start < 0:
            return
        if text.startswith("/*", inner):
            position, trim_next = _comment_end(text, start, inner)
            continue
        position, trim_next = yield from _action(text, start, inner)


def _action(text: str, start: int, position: int) -> Generator[Token, None, tuple[int, bool]]:
    """The tokens of one action; returns where it ends and whether the text after is trimmed."""
    glued = False
    while True:
        if text.startswith("}}", position):
            yield Token("end", "}}", position)
            return position + 2, False
        if _trims_after(text, position) and not glued:
            yield Token("end", "}}", position)
            return position + 3, True
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(text, start, position)
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match.group(), position, glued)
        glued = kind != "space"
        position = match.end()


def _trims_after(text: str, position: int) -> bool:
    """`-}}` after a space."""
    return text.startswith("-}}", position) and _space(text, position - 1)


def _space(text: str, position: int) -> bool:
    return 0 <= position < len(text) and text[position] in _SPACES


def _comment_end(text: str, start: int, inner: int) -> tuple[int, bool]:
    end = text.find("*/", inner + 2)
    if end < 0:
        raise at(text, start, "unclosed comment")
    if text.startswith("}}", end + 2):
        return end + 4, False
    if _space(text, end + 2) and text.startswith("-}}", end + 3):
        return end + 6, True
    raise at(text, start, "comment ends before closing delimiter")


def _unexpected(text: str, start: int, position: int) -> Exception:
    if position >= len(text):
        return at(text, start, "unclosed action")
    character = text[position]
    if character in "\"'":
        return at(text, position, "unterminated quoted string")
    if character == "`":
        return at(text, position, "unterminated raw quoted string")
    if character in "+-.0123456789":
        word = re.match(r"[^\s(){}|]+", text[position:])
        return at(text, position, f"bad number syntax: {word.group() if word else character!r}")
    return at(text, position, f"unexpected {character!r} in action")


def unquoted(literal: str) -> str:
    """The value of a Go string or character literal; raises ValueError."""
    if literal.startswith("`"):
        return literal[1:-1].replace("\r", "")

    def replace(match: re.Match[str]) -> str:
        simple, two, four, eight, octal, other = match.groups()
        if other is not None:
            raise ValueError(f"unknown escape \\{other}")
        if simple is not None:
            return _NAMED_ESCAPES.get(simple, simple)
        code = int(octal, 8) if octal else int(two or four or eight, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ValueError("escape is no valid character")
        return chr(code)

    return _ESCAPE.sub(replace, literal[1:-1])
