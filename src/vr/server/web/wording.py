"""How values read on a page: colours, icons, masks and lists. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml

MASK = "••••••"

_RESOURCE = re.compile(r"/api/v1/(swarm|build|app)s/([^/?]+)/")

# The first tag that is found decides; what went wrong comes first.
_EVENT_LOOKS: tuple[tuple[str, str, str], ...] = (
    ("failed", "alert", "bad"),
    ("warning", "alert", "warn"),
    ("done", "check", "ok"),
    ("uptest", "shield", "ok"),
    ("route", "route", "busy"),
    ("deleted", "trash", "idle"),
    ("destroy", "trash", "idle"),
    ("wait", "clock", "idle"),
    ("buildimage", "cube", "busy"),
    ("build", "hammer", "busy"),
    ("deploy", "rocket", "busy"),
    ("scheduled", "clock", "idle"),
    ("swarm", "swarm", "busy"),
    ("user", "user", "idle"),
)


def event_look(tags: Sequence[str]) -> tuple[str, str]:
    """Icon and tone of an event with these tags (docs/reference/streams.md#tags)."""
    for tag, icon, tone in _EVENT_LOOKS:
        if tag in tags:
            return icon, "ok" if "success" in tags and tone == "busy" else tone
    return "dot", "idle"


def page_of(resource_uri: str) -> str:
    """The page of a resource of the API, empty for those without one."""
    found = _RESOURCE.fullmatch(resource_uri)
    return f"/{found[1]}/{found[2]}/" if found else ""


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
