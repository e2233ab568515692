"""Builds that users ask for: check, store, wake a worker. Returns at once."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from vr.errors import InvalidInput
from vr.server.builds import running
from vr.server.builds.choosing import image_of
from vr.server.builds.problems import CannotBuild, CannotCancelBuild
from vr.server.builds.wanted import BuildCancelled
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import cancelled, leases, wake
from vr.server.models import App, Build, BuildStatus
from vr.specs.names import tag_problem


def request_build(app: App, tag: str, *, user: Any) -> Build:
    """Make and queue a new build of `app` at `tag`, whatever was built before.

    Raises InvalidInput for an impossible tag, CannotBuild if the app's stack has no image.
    """
    if problem := tag_problem("tag", tag):
        raise InvalidInput(f"build of {app.name}", [problem])
    build = Build(app=app, tag=tag, image=image_of(app))
    return queue_build(build, user=user)


def cancel_build(build: Build, *, user: Any) -> None:
    """End a build that is open: it fails, saying who cancelled it.

    Returns at once: whoever builds it hears of it within a second or two, and leaves nothing.
    Raises CannotCancelBuild for one that has ended.
    """
    with transaction.atomic():
        row = Build.objects.select_for_update(of=("self",)).select_related("app").get(pk=build.pk)
        if not row.is_open:
            raise CannotCancelBuild(
                f"Build {row.pk} of {row} can't be cancelled: its status is {row.status} already."
            )
        if row.cancel_asked is None:
            row.cancel_asked, row.cancelled_by = timezone.now(), cancelled.name_of(user)
            row.save(update_fields=["cancel_asked", "cancelled_by"])
            user_did(user, Kind.USER_CANCELLED, str(row), resource_uri=f"/api/v1/builds/{row.pk}/")
    if row.status == BuildStatus.PENDING:
        _end_unbegun(row)


def _end_unbegun(build: Build) -> None:
    """End a build that nobody has begun: it must not wait for its turn to be cancelled."""
    with leases.hold(Build, build.pk, [BuildStatus.PENDING]) as lease:
        if lease is None:
            return
        running.close(build, lease, BuildStatus.FAILED, str(BuildCancelled(build.cancelled_by)))
    for dispatch in running.waiting_dispatches(build.pk):
        wake.after_commit(wake.DRIVE, dispatch)


def queue_build(build: Build, *, user: Any) -> Build:
    """Queue a build that is pending, with its stack's present image.

    Raises CannotBuild for one that has ended, or if the stack has no image.
    """
    if build.status != BuildStatus.PENDING:
        raise CannotBuild(
            f"Build {build.pk} of {build} is {build.status}; only a pending one can be built.",
            hint="Make a new build of the same tag.",
        )
    build.image = image_of(build.app)
    build.asked = timezone.now()
    with transaction.atomic():
        build.save()
        user_did(user, Kind.USER_BUILT, str(build), resource_uri=f"/api/v1/builds/{build.pk}/")
        wake.after_commit(wake.RUN_BUILD, build.pk)
    return build
