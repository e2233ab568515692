"""Which image an app is built in, and which build of a tag is good enough."""

from __future__ import annotations

from vr.server.builds.problems import CannotBuild
from vr.server.files import store
from vr.server.models import App, Build, BuildStatus, Image


def image_of(app: App) -> Image | None:
    """The image that `app` is built and run in; None for an app without a stack.

    Raises CannotBuild if its stack has no active image.
    """
    if app.stack is None:
        return None
    image: Image | None = app.stack.active_image
    if image is None:
        raise CannotBuild(
            f"The stack {app.stack.name!r} of {app.name} has no active image.",
            hint="Build an image of the stack, or mark one as active.",
        )
    return image


def usable_build(app: App, image: Image | None, tag: str, *, commit: str = "") -> Build | None:
    """The newest build of the tag in that image that is done or may still succeed.

    With `commit` only builds of it count.
    """
    builds = Build.objects.filter(app=app, image=image, tag=tag).exclude(
        status__in=[BuildStatus.FAILED, BuildStatus.EXPIRED]
    )
    if commit:
        builds = builds.filter(revision=commit)
    for build in builds.order_by("-id"):
        if build.status != BuildStatus.SUCCESS:
            return build
        if build.is_usable and store.has(build.file):
            return build
    return None
