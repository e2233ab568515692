"""What users ask for, as API, pages and admin call it: check, store the intent, wake a worker.

Every function returns at once; progress is in the returned row, its steps and its events.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from vr.errors import InvalidInput
from vr.server.builds.choosing import image_of
from vr.server.builds.problems import CannotDispatch
from vr.server.events.announcing import user_did
from vr.server.jobs import wake
from vr.server.models import App, Build, BuildStatus, Dispatch, DispatchStatus, Release, Swarm
from vr.server.models.dispatch import OPEN
from vr.server.swarming import tasks
from vr.server.swarming.problems import NothingToRollBackTo, SwarmBusy
from vr.server.swarming.procs import deploy_release, log_tail, proc_action
from vr.specs.names import tag_problem

__all__ = [
    "CannotDispatch",
    "NothingToRollBackTo",
    "SwarmBusy",
    "deploy_release",
    "dispatch",
    "log_tail",
    "open_dispatch",
    "previous_release",
    "proc_action",
    "queue_build",
    "request_build",
    "rollback",
    "scale",
]


def dispatch(
    swarm: Swarm, *, user: Any, tag: str | None = None, size: int | None = None
) -> Dispatch:
    """Bring `swarm` to `tag` (None or "-": the one it has) and `size` (None: as it is).

    Stores both in the swarm and queues the work. Raises SwarmBusy while another dispatch of
    the swarm is open, InvalidInput for an impossible tag or size, CannotDispatch for a swarm
    that can't run: squad without active hosts, stack without image, unknown balancer.
    """
    tag = swarm.tag if tag in {None, "", "-"} else str(tag)
    return _open(swarm, user=user, action="swarm", tag=tag, size=size)


def rollback(swarm: Swarm, *, user: Any) -> Dispatch:
    """Bring `swarm` back to the last release that was dispatched with success before this one.

    Raises NothingToRollBackTo, and what `dispatch` raises.
    """
    release = previous_release(swarm)
    if release is None:
        raise NothingToRollBackTo(
            f"{swarm.name} has no earlier successful release to go back to.",
            hint="Swarm a version by its name instead.",
        )
    return _open(swarm, user=user, action="rollback", tag=release.build.tag, release=release)


def scale(swarm: Swarm, size: int, *, user: Any) -> Dispatch:
    """Run `size` procs of what the swarm runs now, be its config edited since or not.

    Raises what `dispatch` raises.
    """
    release = swarm.release
    tag = release.build.tag if release else swarm.tag
    return _open(swarm, user=user, action="scale", tag=tag, size=size, release=release)


def previous_release(swarm: Swarm) -> Release | None:
    """What `rollback` would go to; None if there is nothing."""
    succeeded = (
        swarm.dispatches.filter(
            status=DispatchStatus.SUCCEEDED, release__build__status=BuildStatus.SUCCESS
        )
        .exclude(release=swarm.release_id)
        .select_related("release__build__app")
        .order_by("-id")
        .first()
    )
    return succeeded.release if succeeded else None


def open_dispatch(swarm: Swarm) -> Dispatch | None:
    """The swarm's dispatch that has not ended yet, if any."""
    return swarm.dispatches.filter(status__in=OPEN).first()


def request_build(app: App, tag: str, *, user: Any) -> Build:
    """Make and queue a new build of `app` at `tag`, whatever was built before.

    Raises InvalidInput for an impossible tag, CannotDispatch if the app's stack has no image.
    """
    if problem := tag_problem("tag", tag):
        raise InvalidInput(f"build of {app.name}", [problem])
    build = Build(app=app, tag=tag, image=image_of(app))
    return queue_build(build, user=user)


def queue_build(build: Build, *, user: Any) -> Build:
    """Queue a build that is pending, with its stack's present image.

    Raises CannotDispatch for one that has ended, or if the stack has no image.
    """
    if build.status != BuildStatus.PENDING:
        raise CannotDispatch(
            f"Build {build.pk} of {build} is {build.status}; only a pending one can be built.",
            hint="Make a new build of the same tag.",
        )
    build.image = image_of(build.app)
    with transaction.atomic():
        build.save()
        user_did(user, "build", str(build), resource_uri=f"/api/v1/builds/{build.pk}/")
        wake.after_commit(tasks.run_build, build.pk)
    return build


def _open(
    swarm: Swarm,
    *,
    user: Any,
    action: str,
    tag: str,
    size: int | None = None,
    release: Release | None = None,
) -> Dispatch:
    size = swarm.size if size is None else size
    if busy := open_dispatch(swarm):
        raise SwarmBusy(busy)
    _check(swarm, tag, size)
    try:
        with transaction.atomic():
            swarm.tag, swarm.size = tag, size
            swarm.save(update_fields=["tag", "size"])
            opened = Dispatch.objects.create(
                swarm=swarm,
                user=user if getattr(user, "pk", None) else None,
                tag=tag,
                size=size,
                release=release,
                build=release.build if release else None,
                previous_release=swarm.release,
            )
            user_did(
                user,
                action,
                f"{swarm.name} → {tag}, size {size}",
                trace_id=opened.trace_id,
                resource_uri=f"/api/v1/swarms/{swarm.pk}/",
            )
            wake.after_commit(tasks.drive, opened.pk)
    except IntegrityError:
        # Somebody else was a moment earlier: the database allows one open dispatch per swarm.
        swarm.refresh_from_db(fields=["tag", "size"])
        if busy := open_dispatch(swarm):
            raise SwarmBusy(busy) from None
        raise
    return opened


def _check(swarm: Swarm, tag: str, size: int) -> None:
    problems = []
    if problem := tag_problem("version", tag):
        problems.append(problem)
    largest = settings.LARGEST_SWARM
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= largest:
        problems.append(f"size: is {size!r}, expected a whole number from 0 to {largest}")
    if problems:
        raise InvalidInput(f"swarm {swarm.name}", problems)
    _check_balancer(swarm)
    if size == 0:
        return
    image_of(swarm.app)
    if not swarm.squad.hosts.filter(active=True).exists():
        raise CannotDispatch(
            f"The squad {swarm.squad.name!r} of {swarm.name} has no active hosts.",
            hint="Add a host to the squad, or set one of its hosts active.",
        )


def _check_balancer(swarm: Swarm) -> None:
    if not swarm.pool:
        return
    known = sorted(settings.BALANCERS)
    if swarm.balancer not in known:
        what = f"the balancer {swarm.balancer!r}" if swarm.balancer else "no balancer"
        raise CannotDispatch(
            f"{swarm.name} routes to the pool {swarm.pool!r} with {what}, which is not set up.",
            hint=f"Choose one of: {', '.join(known) or 'none is configured'}.",
        )
