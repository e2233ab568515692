"""Where the API shows a record."""

from __future__ import annotations

from urllib.parse import quote

from django.db.models import Model

from vr.server.models import (
    App,
    Build,
    Buildpack,
    Host,
    Ingredient,
    Notifier,
    Release,
    Squad,
    Stack,
    Swarm,
)

# Name in the address, and the field that tells one from another.
_ADDRESSES: dict[type[Model], tuple[str, str]] = {
    App: ("apps", "name"),
    Build: ("builds", "id"),
    Buildpack: ("buildpacks", "id"),
    Host: ("hosts", "name"),
    Ingredient: ("ingredients", "id"),
    Release: ("releases", "id"),
    Notifier: ("notifiers", "name"),
    Squad: ("squads", "name"),
    Stack: ("stacks", "name"),
    Swarm: ("swarms", "id"),
}


def address_of(record: Model) -> str:
    """The path of `record` in the API; empty for what the API doesn't let anybody change."""
    if type(record) not in _ADDRESSES:
        return ""
    name, key = _ADDRESSES[type(record)]
    return f"/api/v1/{name}/{quote(str(getattr(record, key)), safe='')}/"
