"""Patterns that users send: matched in time linear in the text, whatever the pattern.

Both databases get only what RE2 takes, which has neither back-references nor look-around. SQLite
has no regular expressions of its own, and asks RE2; PostgreSQL's match such patterns without
tracking back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2
from django.db.backends.signals import connection_created

LONGEST = 200
"""Characters of a pattern."""
_MEMORY_BYTES = 1 << 20


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Any:
    """The pattern, to be asked with `search`; raises ValueError with a sentence."""
    if len(pattern) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is no regular expression that RE2 knows: {said}") from None


def replace_sqlite_function() -> None:
    """Have every connection to SQLite match by RE2 instead of by Django's function."""
    connection_created.connect(_register, dispatch_uid="vr.patterns")


def _register(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("REGEXP", 2, _is_found, deterministic=True)


def _is_found(pattern: Any, text: Any) -> bool | None:
    if pattern is None or text is None:
        return None
    return compiled(str(pattern)).search(str(text)) is not None
