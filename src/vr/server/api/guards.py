"""Why an object can't be deleted: what still needs it, and what to do about that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Model

from vr.server.models import App, Build, Host, Release, Squad, Stack, Swarm
from vr.server.swarming.asking import open_dispatch

_SHOWN = 10


def why_kept(doomed: Model) -> str | None:
    """Why this object can't be deleted, as a part of a sentence; None if it can."""
    guard = _GUARDS.get(type(doomed))
    return guard(doomed) if guard else None


def app_guard(app: App) -> str | None:
    return _used_by("swarms", (swarm.name for swarm in app.swarms.select_related("app")))


def squad_guard(squad: Squad) -> str | None:
    return _used_by("swarms", (swarm.name for swarm in squad.swarms.select_related("app")))


def stack_guard(stack: Stack) -> str | None:
    return _used_by("apps", (app.name for app in App.objects.filter(stack=stack)))


def host_guard(host: Host) -> str | None:
    """A host with procs would lose their ports' owners, and the procs would run on unseen."""
    return _used_by("procs", host.port_leases.values_list("proc", flat=True))


def swarm_guard(swarm: Swarm) -> str | None:
    if open_dispatch(swarm):
        return "it is being dispatched; wait until that has ended"
    if running := swarm.port_leases.count():
        return f"it still has {running} procs; scale it to 0 first: vr scale {swarm.name} 0"
    return None


def release_guard(release: Release) -> str | None:
    return _used_by("swarms", (swarm.name for swarm in release.swarms.select_related("app")))


def build_guard(build: Build) -> str | None:
    running = Swarm.objects.filter(release__build=build).select_related("app")
    return _used_by("swarms", (swarm.name for swarm in running))


def _used_by(what: str, names: Iterable[str]) -> str | None:
    found = sorted(names)
    if not found:
        return None
    more = ", …" if len(found) > _SHOWN else ""
    return f"it is used by the {what} {', '.join(found[:_SHOWN])}{more}; remove those first"


_GUARDS: dict[type[Model], Callable[[Any], str | None]] = {
    App: app_guard,
    Build: build_guard,
    Host: host_guard,
    Release: release_guard,
    Squad: squad_guard,
    Stack: stack_guard,
    Swarm: swarm_guard,
}
