"""Globs of others, all at once, in time linear in the paths: never by tracking back.

`*` and `?` stay within one name, `**` crosses folders, `[...]` is a set of characters that never
holds `/`. All the globs are one automaton whose states are the bits of a number, so that a
character costs a few operations on that number, whatever the globs are. A state can be kept:
what a folder has in common for its entries is matched once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

_CACHED_CHARACTERS = 4096


@dataclass(frozen=True)
class Glob:
    """`text` without slash at its ends; not `anchored`, it may begin in any folder."""

    text: str
    anchored: bool
    folders_only: bool


class Globs:
    """Whether any of several globs means a path. `advance` from `start`, then ask `matches`."""

    def __init__(self, globs: Iterable[Glob]) -> None:
        self.start = 0
        self._size = 0
        self._letters: dict[str, int] = {}
        self._name_characters = 0  # consumed by `?`
        self._sets: list[tuple[int, Callable[[str], bool]]] = []
        self._stays_in_name = self._stays_anywhere = 0
        self._skips_one = self._skips_two = 0
        self._ends = self._folder_ends = 0
        self._steps: dict[str, int] = {}
        for glob in globs:
            self._add(glob)
        self.start = self._skip(self.start)

    def advance(self, state: int, text: str) -> int:
        """The state after `text`; 0 if nothing that begins so can match."""
        for character in text:
            if not state:
                break
            stays = self._stays_anywhere
            if character != "/":
                stays |= self._stays_in_name
            state = self._skip(((state & self._step(character)) << 1) | (state & stays))
        return state

    def matches(self, state: int, is_folder: bool) -> bool:
        """Whether what was read so far is a path that is meant."""
        return bool(state & (self._ends | self._folder_ends if is_folder else self._ends))

    def _skip(self, state: int) -> int:
        """With the states that are reached without a character: after a star that matches nothing.

        Stars in a row were made one, so that a few rounds are the most.
        """
        while (
            more := state | (state & self._skips_one) << 1 | (state & self._skips_two) << 2
        ) != state:
            state = more
        return state

    def _step(self, character: str) -> int:
        known = self._steps.get(character)
        if known is None:
            if len(self._steps) >= _CACHED_CHARACTERS:
                self._steps.clear()
            known = self._letters.get(character, 0)
            if character != "/":
                known |= self._name_characters
                for bit, holds in self._sets:
                    known |= bit if holds(character) else 0
            self._steps[character] = known
        return known

    def _add(self, glob: Glob) -> None:
        self.start |= self._bit
        if not glob.anchored:
            self._add_any_folder()
        text, position = glob.text, 0
        last = "" if glob.anchored else "**/"
        while position < len(text):
            token = _token(text, position)
            position += len(token)
            if (last == "**" and token.startswith("*")) or token == last == "**/":
                continue  # stars after one that matches as much add nothing
            self._add_token(token)
            last = token
        if glob.folders_only:
            self._folder_ends |= self._bit
        else:
            self._ends |= self._bit
        self._size += 1

    @property
    def _bit(self) -> int:
        return 1 << self._size

    def _add_token(self, token: str) -> None:
        if token == "**/":
            self._add_any_folder()
            return
        if token in {"*", "**"}:
            # It stays where it is, and is left without a character.
            if token == "*":
                self._stays_in_name |= self._bit
            else:
                self._stays_anywhere |= self._bit
            self._skips_one |= self._bit
        elif token == "?":
            self._name_characters |= self._bit
        elif len(token) > 1:
            self._sets.append((self._bit, _set(token[1:-1])))
        else:
            self._letters[token] = self._letters.get(token, 0) | self._bit
        self._size += 1

    def _add_any_folder(self) -> None:
        """Nothing at all, or anything up to a slash."""
        self._skips_one |= self._bit
        self._skips_two |= self._bit
        self._size += 1
        self._stays_anywhere |= self._bit
        self._letters["/"] = self._letters.get("/", 0) | self._bit
        self._size += 1


def _token(text: str, position: int) -> str:
    for star in ("**/", "**"):
        if text.startswith(star, position):
            return star
    if text[position] == "[" and (end := text.find("]", position + 2)) > 0:
        return text[position : end + 1]
    return text[position]


def _set(characters: str) -> Callable[[str], bool]:
    negated = characters[0] in "!^" and len(characters) > 1
    body = characters[1:] if negated else characters
    single: set[str] = set()
    ranges: list[tuple[str, str]] = []
    position = 0
    while position < len(body):
        if body[position + 1 : position + 2] == "-" and position + 2 < len(body):
            ranges.append((body[position], body[position + 2]))
            position += 3
        else:
            single.add(body[position])
            position += 1
    return lambda character: (
        (character in single or any(low <= character <= high for low, high in ranges)) != negated
    )
