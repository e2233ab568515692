"""Which image, build and release a swarm at a tag means (docs/reference/release.md)."""

from __future__ import annotations

from typing import Any

import yaml

from vr.server.builds.problems import CannotDispatch
from vr.server.files import store
from vr.server.models import App, Build, BuildStatus, Image, Release, Swarm
from vr.server.models.yaml_text import parse_mapping


def image_of(app: App) -> Image | None:
    """The image that `app` is built and run in; None for an app without a stack.

    Raises CannotDispatch if its stack has no active image.
    """
    if app.stack is None:
        return None
    image: Image | None = app.stack.active_image
    if image is None:
        raise CannotDispatch(
            f"The stack {app.stack.name!r} of {app.name} has no active image.",
            hint="Build an image of the stack, or mark one as active.",
        )
    return image


def usable_build(app: App, image: Image | None, tag: str) -> Build | None:
    """The newest build of the tag in that image that is done or may still succeed."""
    builds = Build.objects.filter(app=app, image=image, tag=tag).exclude(
        status__in=[BuildStatus.FAILED, BuildStatus.EXPIRED]
    )
    for build in builds.order_by("-id"):
        if build.status != BuildStatus.SUCCESS:
            return build
        if build.is_usable and store.path_of(build.file).is_file():
            return build
    return None


def release_for(swarm: Swarm, build: Build) -> Release:
    """The release of `build` with the swarm's present config, made if there is none like it.

    `build` must be done: the hash is set once and answers exactly what runs.
    """
    settings = swarm.settings() | {
        "config_yaml": _text(swarm.compiled_config()),
        "env_yaml": _text({**parse_mapping(build.env_yaml), **swarm.compiled_env()}),
    }
    release = Release(build=build, **settings)
    release.hash = release.compute_hash()
    known = Release.objects.filter(build=build, hash=release.hash).order_by("-id").first()
    if known is not None:
        return known
    release.save()
    return release


def check_proc_name(build: Build, proc_name: str) -> None:
    """Raise CannotDispatch, naming the choices, if the build is known not to have the proc."""
    names = sorted(build.process_types)
    if names and proc_name not in names:
        raise CannotDispatch(
            f"{build} has no proc named {proc_name!r}; its Procfile has: {', '.join(names)}.",
            hint="Change the swarm's proc name, or add the line to the Procfile.",
        )


def _text(mapping: dict[str, Any]) -> str:
    if not mapping:
        return ""
    text: str = yaml.safe_dump(mapping, sort_keys=True, allow_unicode=True)
    return text
