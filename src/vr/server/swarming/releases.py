"""Which release a build makes with a swarm's config, and which one came before
(docs/reference/release.md)."""

from __future__ import annotations

from typing import Any

import yaml
from django.core.exceptions import ValidationError

from vr.errors import InvalidInput
from vr.server.models import Build, BuildStatus, DispatchStatus, Release, Swarm
from vr.server.models.yaml_text import parse_env
from vr.server.swarming.problems import CannotDispatch


def release_for(swarm: Swarm, build: Build) -> Release:
    """The release of `build` with the swarm's present config, made if there is none like it.

    `build` must be done: the hash is set once and answers exactly what runs.
    """
    try:
        release = _made_of(swarm, build)
    except ValidationError as error:
        raise InvalidInput(f"config of {swarm.name}", error.messages) from None
    known = Release.objects.filter(build=build, hash=release.hash).order_by("-id").first()
    if known is not None:
        return known
    release.save()
    return release


def is_release_of(swarm: Swarm, release: Release) -> bool:
    """Would `swarm`, as it is now, get the same release of that build? Raises ValidationError."""
    return _made_of(swarm, release.build).hash == release.hash


def _made_of(swarm: Swarm, build: Build) -> Release:
    settings = swarm.settings() | {
        "config_yaml": _text(swarm.compiled_config()),
        "env_yaml": _text({**parse_env(build.env_yaml), **swarm.compiled_env()}),
    }
    release = Release(build=build, **settings)
    release.hash = release.compute_hash()
    return release


def check_proc_name(build: Build, proc_name: str) -> None:
    """Raise CannotDispatch, naming the choices, if the build is known not to have the proc."""
    names = sorted(build.process_types)
    if names and proc_name not in names:
        raise CannotDispatch(
            f"{build} has no proc named {proc_name!r}; its Procfile has: {', '.join(names)}.",
            hint="Change the swarm's proc name, or add the line to the Procfile.",
        )


def previous_release(swarm: Swarm) -> Release | None:
    """What `rollback` would go to; None if there is nothing.

    That is the release that came before the present one when that was first dispatched with
    success: rolling back again goes further back, and never forth to what was left.
    """
    succeeded = swarm.dispatches.filter(status=DispatchStatus.SUCCEEDED, release__isnull=False)
    usable = succeeded.filter(release__build__status=BuildStatus.SUCCESS)
    if swarm.release_id is not None:
        first = succeeded.filter(release=swarm.release_id).order_by("id").first()
        usable = usable.exclude(release=swarm.release_id)
        if first is not None:
            usable = usable.filter(pk__lt=first.pk)
    found = usable.select_related("release__build__app").order_by("-id").first()
    return found.release if found else None


def _text(mapping: dict[str, Any]) -> str:
    if not mapping:
        return ""
    text: str = yaml.safe_dump(mapping, sort_keys=True, allow_unicode=True)
    return text
