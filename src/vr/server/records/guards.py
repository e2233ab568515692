"""Why a record can't be deleted: what still needs it, and what to do about that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import redis
from django.contrib.auth.models import User
from django.db.models import Model, Q

from vr.server.models import (
    App,
    Build,
    Buildpack,
    BuildStatus,
    Dispatch,
    Host,
    Image,
    Ingredient,
    PortLease,
    Release,
    Squad,
    Stack,
    Swarm,
)
from vr.server.models.dispatch import OPEN
from vr.server.records.running import procs_of_swarm, procs_on
from vr.server.swarming.routed import why_not_free
from vr.text.plurals import counted

_SHOWN = 10
_UNKNOWN = (
    "whether its procs still run can't be told now, as Redis does not answer; see `vr status`"
)


def why_kept(record: Model) -> str | None:
    """Why `record` can't be deleted now, as the end of a sentence; None if it can."""
    guard = _GUARDS.get(type(record))
    return guard(record) if guard else None


def _app(app: App) -> str | None:
    return _used_by("swarms", _names(app.swarms)) or _busy(
        app.builds.filter(status=BuildStatus.STARTED)
    )


def _build(build: Build) -> str | None:
    return (
        _used_by("swarms", _names(Swarm.objects.filter(release__build=build)))
        or _needed_by_dispatch(Q(build=build) | Q(release__build=build))
        or _busy(Build.objects.filter(pk=build.pk, status=BuildStatus.STARTED))
    )


def _release(release: Release) -> str | None:
    return _used_by("swarms", _names(release.swarms)) or _needed_by_dispatch(
        Q(release=release) | Q(previous_release=release)
    )


def _buildpack(buildpack: Buildpack) -> str | None:
    return _used_by("apps", (app.name for app in App.objects.filter(buildpack=buildpack)))


def _stack(stack: Stack) -> str | None:
    """An image goes with its stack, and builds in it can't run without it."""
    return _used_by(
        "apps", (app.name for app in App.objects.filter(stack=stack))
    ) or _used_by_builds(Build.objects.filter(image__stack=stack))


def _image(image: Image) -> str | None:
    if image == image.stack.active_image:
        apps = App.objects.filter(stack=image.stack)
        if reason := _used_by("apps", (app.name for app in apps)):
            return reason
    return _used_by_builds(Build.objects.filter(image=image))


def _ingredient(ingredient: Ingredient) -> str | None:
    return _used_by("swarms", _names(ingredient.swarms))


def _squad(squad: Squad) -> str | None:
    return _used_by("swarms", _names(squad.swarms))


def _host(host: Host) -> str | None:
    """A host with procs would lose their ports' owners, and the procs would run on unseen."""
    leased = set(host.port_leases.values_list("proc", flat=True))
    try:
        return _used_by("procs", leased | procs_on(host))
    except redis.RedisError:
        return _used_by("procs", leased) or _UNKNOWN


def _swarm(swarm: Swarm) -> str | None:
    if swarm.dispatches.filter(status__in=OPEN).exists():
        return "it is being dispatched; wait until that has ended"
    running = set(swarm.port_leases.values_list("host__name", "proc"))
    try:
        running |= procs_of_swarm(swarm)
    except redis.RedisError:
        if not running:
            return _UNKNOWN
    if not running:
        return None
    count = counted(len(running), "proc")
    return f"it still has {count}; scale it to 0 first: vr scale {swarm.name} 0"


def _port_lease(lease: PortLease) -> str | None:
    """A port that has no owner is given to the next proc, be it in use or not."""
    host = lease.host.name
    if routed := why_not_free(lease, host):
        return routed.rstrip(".")
    try:
        runs = lease.proc in procs_on(lease.host)
    except redis.RedisError:
        return _UNKNOWN
    return f"its proc runs; remove that first: {lease.proc} on {host}" if runs else None


def _dispatch(dispatch: Dispatch) -> str | None:
    return "it is under way; wait until it has ended" if dispatch.is_open else None


def _user(user: User) -> str | None:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and user.is_active and not others.exists():
        return "it is the last administrator; make another one first"
    return None


_GUARDS: dict[type[Model], Callable[[Any], str | None]] = {
    App: _app,
    Build: _build,
    Buildpack: _buildpack,
    Dispatch: _dispatch,
    Host: _host,
    Image: _image,
    Ingredient: _ingredient,
    PortLease: _port_lease,
    Release: _release,
    Squad: _squad,
    Stack: _stack,
    Swarm: _swarm,
    User: _user,
}


def _names(swarms: Any) -> Iterable[str]:
    return (swarm.name for swarm in swarms.select_related("app"))


def _used_by(what: str, names: Iterable[str]) -> str | None:
    found = sorted(names)
    if not found:
        return None
    more = ", …" if len(found) > _SHOWN else ""
    return f"it is used by the {what} {', '.join(found[:_SHOWN])}{more}; remove those first"


def _used_by_builds(builds: Any) -> str | None:
    known = builds.select_related("app").order_by("-id")[: _SHOWN + 1]
    return _used_by("builds", (f"{build} ({build.pk})" for build in known))


def _busy(builds: Any) -> str | None:
    if build := builds.select_related("app").first():
        return f"build {build.pk} of {build} is under way; wait until it has ended"
    return None


def _needed_by_dispatch(what: Q) -> str | None:
    open_ones = Dispatch.objects.filter(what, status__in=OPEN).select_related("swarm__app")
    if dispatch := open_ones.first():
        return f"{dispatch.swarm.name} is being dispatched with it; wait until that has ended"
    return None
