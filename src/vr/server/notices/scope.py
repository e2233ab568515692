"""What an event is about: its apps and squads, by its trace and the record that it names."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from vr.server.models import App, Build, Dispatch, Event, Host, Release, Squad, Swarm
from vr.server.notices.choosing import Scope

_PREFIX = "/api/v1/"


def scope_of(event: Event) -> Scope:
    """The apps and squads that the event is about; none for what is about neither."""
    if event.trace_id:
        rows = Dispatch.objects.filter(trace_id=event.trace_id)
        return _scope(rows.values_list("swarm__app_id", "swarm__squad_id"))
    resource, _, key = event.resource_uri.removeprefix(_PREFIX).strip("/").partition("/")
    find = _FIND.get(resource)
    if find is None or not key:
        return Scope()
    model, by, apps, squads = find
    rows = model._default_manager.filter(**{by: unquote(key)})
    return Scope(
        frozenset(one for one in _values(rows, apps) if one is not None),
        frozenset(one for one in _values(rows, squads) if one is not None),
    )


def _values(rows: Any, column: str) -> list[int | None]:
    return list(rows.values_list(column, flat=True)) if column else []


def _scope(rows: Any) -> Scope:
    found = list(rows)
    return Scope(frozenset(app for app, _ in found), frozenset(squad for _, squad in found))


# resource: its model, what finds one, and where its app and squad are.
_FIND: dict[str, tuple[Any, str, str, str]] = {
    "swarms": (Swarm, "pk", "app_id", "squad_id"),
    "apps": (App, "name", "pk", ""),
    "builds": (Build, "pk", "app_id", ""),
    "releases": (Release, "pk", "build__app_id", ""),
    "hosts": (Host, "name", "", "squad_id"),
    "squads": (Squad, "name", "", "pk"),
}
