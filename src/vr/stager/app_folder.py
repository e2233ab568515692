"""An app's files as a plugin may look at them: somebody else's, so links are never followed."""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr.builder.untrusted import read_text
from vr.errors import VelociraptorError


@dataclass(frozen=True)
class AppFolder:
    """Paths are relative to the app's root, with `/`."""

    path: Path

    def glob(self, pattern: str) -> list[str]:
        """Files that match, sorted. `*` stays within one name and matches no leading dot."""
        return sorted(self._matches("", pattern.strip("/").split("/")))

    def exists(self, name: str) -> bool:
        """Whether there is a file or folder of this name; a link counts as neither."""
        path = self.path
        for part in name.split("/"):
            path = path / part
            if path.is_symlink():
                return False
        return path.exists()

    def text(self, name: str) -> str | None:
        """A file's text; None if there is no such file. Raises VelociraptorError above 1 MiB."""
        parent = name.rpartition("/")[0]
        if parent and not self.exists(parent):
            return None
        return read_text(self.path / name) if not (self.path / name).is_dir() else None

    def json(self, name: str) -> dict[str, Any] | None:
        """A file's JSON object; None if there is no such file. Raises VelociraptorError."""
        text = self.text(name)
        if text is None:
            return None
        try:
            document = json.loads(text)
        except ValueError as error:
            raise VelociraptorError(f"{name} is not valid JSON: {error}.") from None
        if not isinstance(document, dict):
            raise VelociraptorError(f"{name} holds no JSON object.")
        return document

    def contains(self, name: str, pattern: str) -> bool:
        """Whether the pattern matches somewhere in the file."""
        try:
            text = self.text(name)
        except VelociraptorError:
            return False  # too large to be the file that a rule is about
        return text is not None and re.search(pattern, text) is not None

    def _matches(self, folder: str, parts: list[str]) -> Iterator[str]:
        pattern, rest = parts[0], parts[1:]
        try:
            entries = list(os.scandir(self.path / folder))
        except NotADirectoryError:
            return
        for entry in entries:
            if entry.name.startswith(".") and not pattern.startswith("."):
                continue
            if not fnmatch.fnmatchcase(entry.name, pattern):
                continue
            if rest and entry.is_dir(follow_symlinks=False):
                yield from self._matches(f"{folder}{entry.name}/", rest)
            elif not rest and entry.is_file(follow_symlinks=False):
                yield folder + entry.name
