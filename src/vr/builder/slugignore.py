""".slugignore: what the running app does not need (docs/reference/buildpack.md#slugignore).

One pattern per line; blank lines and lines that begin with `#` count for nothing. `/x` and `x/y`
are meant from the app's root, `x` at any depth; `x/` matches folders only. `*` and `?` stay within
one name, `**` crosses folders, `[...]` is a set of characters. There is no negation.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from vr.builder.globs import Glob, Globs
from vr.errors import InvalidInput

LONGEST = 64 * 1024
"""Characters of a file: every one of them costs time for every name in the app."""


def parse(text: str) -> Globs:
    """The patterns of a file; those that climb out with `..` match nothing and are dropped.

    Raises InvalidInput for a file above LONGEST.
    """
    if len(text) > LONGEST:
        raise InvalidInput(
            ".slugignore",
            [f"has {len(text)} characters, but may have {LONGEST}"],
            hint="Name folders instead of all that is in them.",
        )
    lines = (line.strip() for line in text.splitlines())
    return Globs(
        _glob(line)
        for line in lines
        if line and not line.startswith("#") and ".." not in line.split("/") and line.strip("/")
    )


def remove_ignored(folder: Path, patterns: Globs) -> list[str]:
    """Delete what matches below `folder`; returns the relative paths, sorted.

    Links are removed, never followed; what matches a folder takes its content with it.
    """
    removed = []
    for path, is_folder in list(_meant(folder, patterns)):
        if is_folder:
            shutil.rmtree(folder / path)
        else:
            (folder / path).unlink()
        removed.append(path)
    return sorted(removed)


def _meant(folder: Path, patterns: Globs) -> Iterator[tuple[str, bool]]:
    """The entries that match, and whether they are real folders; nothing below those."""
    waiting = [("", patterns.start)]
    while waiting:
        prefix, state = waiting.pop()
        if not state:
            continue
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                reached = patterns.advance(state, entry.name)
                if patterns.matches(reached, is_folder):
                    yield prefix + entry.name, is_folder
                elif is_folder:
                    below = patterns.advance(reached, "/")
                    waiting.append((f"{prefix}{entry.name}/", below))


def _glob(line: str) -> Glob:
    body = line.rstrip("/")
    return Glob(body.lstrip("/"), anchored="/" in body, folders_only=line.endswith("/"))
