"""Secrets of the environment out of everything that is shown."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|(?:^|_)(?:KEY|PASS|PWD|AUTH)(?:_|$)|APIKEY",
    re.IGNORECASE,
)
_URL_LOGIN = re.compile(r"(?<=://)[^/\s\"'@]+(?=@)")
# Shorter values would hide half of the text, and tell nothing.
_SHORTEST = 4


class Masker:
    """Hides the values of variables whose names sound secret, and logins in URLs.

    What is hidden keeps its length and its line breaks, so that columns stay right.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {
            form
            for name, value in environ.items()
            if len(value) >= _SHORTEST and _SECRET_NAME.search(name)
            # As it is, and as it reads within JSON.
            for form in (
                value,
                json.dumps(value)[1:-1],
                json.dumps(value, ensure_ascii=False)[1:-1],
            )
        }
        # The longest first, as one may contain another.
        parts = [re.escape(value) for value in sorted(values, key=len, reverse=True)]
        self._secrets = re.compile("|".join(parts)) if parts else None

    def __call__(self, text: str) -> str:
        if self._secrets is not None:
            text = self._secrets.sub(_stars, text)
        return _URL_LOGIN.sub(_stars, text)

    def document(self, value: Any) -> Any:
        """A JSON document, also without what its own keys call secret."""
        if isinstance(value, dict):
            return {
                name: "***" if _SECRET_NAME.search(name) and item else self.document(item)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.document(item) for item in value]
        return self(value) if isinstance(value, str) else value


def _stars(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", "*", match.group())
