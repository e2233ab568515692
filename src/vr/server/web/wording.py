"""How values read on a page: durations, ages, masks and lists. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

MASK = "••••••"
# Terminal sequences: colours and cursor moves (CSI), titles and links (OSC), single escapes.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")

_RESOURCE = re.compile(r"/api/v1/(swarm|build|app)s/([^/?]+)/")


def page_of(resource_uri: str) -> str:
    """The page of a resource of the API, empty for those without one."""
    found = _RESOURCE.fullmatch(resource_uri)
    return f"/{found[1]}/{found[2]}/" if found else ""


def duration(seconds: float | None) -> str:
    """`350 ms`, `4.2 s`, `2 min 05 s`, `1 h 03 min`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def ago(then: datetime | None, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; `never` for None."""
    if then is None:
        return "never"
    seconds = max(0, int((now - then).total_seconds()))
    for size, name in ((86400, "day"), (3600, "h"), (60, "min")):
        count = seconds // size
        if count:
            plural = "s" if name == "day" and count > 1 else ""
            return f"{count} {name}{plural} ago"
    return "just now" if seconds < 10 else f"{seconds} s ago"


def without_ansi(text: str) -> str:
    """Text of a terminal as a page can show it: no escapes, progress lines at their last state."""
    plain = _ANSI.sub("", text).replace("\r\n", "\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))


def without_credentials(url: str) -> str:
    """A repository's address without the user and password that it may carry."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def masked(mapping: Mapping[str, Any]) -> str:
    """YAML of a mapping with every value hidden: the keys tell what is set, and no secret."""
    hidden = _hide(mapping)
    return yaml.safe_dump(hidden, allow_unicode=True, sort_keys=False) if hidden else ""


def _hide(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hide(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hide(inner) for inner in value]
    return MASK


def listed(names: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond `limit`: `a, b, c, d, e and 4 more`."""
    known = list(names)
    shown, more = known[:limit], len(known) - limit
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
