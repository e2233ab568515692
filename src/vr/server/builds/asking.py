"""Builds that users ask for: check, store, wake a worker. Returns at once."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from vr.errors import InvalidInput
from vr.server.builds.choosing import image_of
from vr.server.builds.problems import CannotBuild
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.jobs import wake
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
