""".slugignore: what the running app does not need (docs/reference/buildpack.md#slugignore).

One pattern per line; blank lines and lines that begin with `#` count for nothing. `/x` and `x/y`
are meant from the app's root, `x` at any depth; `x/` matches folders only. `*` and `?` stay within
one name, `**` crosses folders, `[...]` is a set of characters. There is no negation.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pattern:
    """One line: the expression for a whole relative path, and whether it is for folders only."""

    expression: re.Pattern[str]
    folders_only: bool

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether it means the relative `path`, without leading slash."""
        return (is_folder or not self.folders_only) and bool(self.expression.fullmatch(path))


def parse(text: str) -> list[Pattern]:
    """The patterns of a file; those that climb out with `..` match nothing and are dropped."""
    lines = (line.strip() for line in text.splitlines())
    return [
        _pattern(line)
        for line in lines
        if line and not line.startswith("#") and ".." not in line.split("/") and line.strip("/")
    ]


def remove_ignored(folder: Path, patterns: Iterable[Pattern]) -> list[str]:
    """Delete what matches below `folder`; returns the relative paths, sorted.

    Links are removed, never followed; what matches a folder takes its content with it.
    """
    chosen = list(patterns)
    removed = []
    for path, is_folder in _walk(folder, ""):
        if any(pattern.matches(path, is_folder) for pattern in chosen):
            if is_folder:
                shutil.rmtree(folder / path)
            else:
                (folder / path).unlink()
            removed.append(path)
    return sorted(removed)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, bool]]:
    """Every entry and whether it is a real folder; a folder's own entries if it is still there."""
    with os.scandir(folder) as entries:
        listed = list(entries)
    for entry in listed:
        is_folder = entry.is_dir(follow_symlinks=False)
        path = prefix + entry.name
        yield path, is_folder
        if is_folder and Path(entry.path).is_dir():
            yield from _walk(Path(entry.path), path + "/")


def _pattern(line: str) -> Pattern:
    folders_only = line.endswith("/")
    body = line.rstrip("/")
    anchored = "/" in body
    expression = _translate(body.lstrip("/"))
    return Pattern(
        re.compile(expression if anchored else f"(?:.*/)?{expression}", re.S), folders_only
    )


def _translate(glob: str) -> str:
    parts = []
    position = 0
    while position < len(glob):
        if glob.startswith("**/", position):
            parts.append("(?:.*/)?")
            position += 3
        elif glob.startswith("**", position):
            parts.append(".*")
            position += 2
        elif glob[position] == "*":
            parts.append("[^/]*")
            position += 1
        elif glob[position] == "?":
            parts.append("[^/]")
            position += 1
        elif glob[position] == "[" and (end := glob.find("]", position + 2)) > 0:
            parts.append(_set(glob[position + 1 : end]))
            position = end + 1
        else:
            parts.append(re.escape(glob[position]))
            position += 1
    return "".join(parts)


def _set(characters: str) -> str:
    negated = characters[0] in "!^"
    body = re.sub(r"([\\\[\]^&~|])", r"\\\1", characters[1:] if negated else characters)
    expression = f"[^/{body}]" if negated else f"[{body}]"
    try:
        re.compile(expression)
    except re.error:  # a range like z-a: nothing can match it
        return "(?!)"
    return expression
