"""What runs: apps, how they are built, and what comes of it (api-v1.md 4)."""

from __future__ import annotations

from vr.server import models
from vr.server.api.fields import (
    Computed,
    Flag,
    Integer,
    Link,
    Mapping,
    Moment,
    StoredFile,
    Text,
)
from vr.server.api.filters import Through
from vr.server.api.proc_settings import proc_settings
from vr.server.api.resource import Resource

BUILDPACKS: Resource = Resource(
    name="buildpacks",
    noun="buildpack",
    model=models.Buildpack,
    label="repo_url",
    fields=(
        Text(name="repo_url"),
        Text(name="repo_type"),
        Text(name="desc", nullable=True),
        Integer(name="order"),
    ),
    filters={"repo_url": "repo_url", "repo_type": "repo_type"},
    order=("order", "id"),
)


STACKS: Resource = Resource(
    name="stacks",
    noun="stack",
    model=models.Stack,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="desc"),
        Text(name="base_image_url", nullable=True),
        Text(name="heroku_stack"),
        Text(name="provisioning_script"),
        Computed(
            name="active_image",
            value=lambda stack, _: image.name if (image := stack.active_image) else None,
        ),
    ),
    filters={"name": "name", "id": "id"},
    order=("name",),
)


IMAGES: Resource = Resource(
    name="images",
    noun="image",
    model=models.Image,
    label="name",
    fields=(
        Text(name="name"),
        Link(name="stack", to=lambda: STACKS),
        StoredFile(name="file"),
        Text(name="md5", nullable=True),
        Flag(name="active"),
        Moment(name="created"),
    ),
    filters={"name": "name", "active": "active", "stack": Through(lambda: STACKS)},
    order=("-id",),
    select=("stack",),
    read_only=True,
)


APPS: Resource = Resource(
    name="apps",
    noun="app",
    model=models.App,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="repo_url"),
        Text(name="repo_type"),
        Link(name="buildpack", to=lambda: BUILDPACKS),
        Text(name="framework", nullable=True),
        Link(name="stack", to=lambda: STACKS),
        # The original rewrote schemes here from the server's hgrc; nothing of ours does.
        Computed(name="resolved_url", value=lambda app, _: app.repo_url),
    ),
    filters={
        "id": "id",
        "name": "name",
        "buildpack": Through(lambda: BUILDPACKS),
        "stack": Through(lambda: STACKS),
    },
    order=("name",),
    select=("buildpack", "stack"),
)


BUILDS: Resource = Resource(
    name="builds",
    noun="build",
    model=models.Build,
    fields=(
        Link(name="app", to=lambda: APPS),
        Text(name="tag"),
        Text(name="status", writable=False),
        StoredFile(name="file"),
        StoredFile(name="compile_log"),
        Text(name="file_md5", nullable=True, writable=False),
        Text(name="hash", nullable=True, writable=False),
        Text(name="error", writable=False),
        Moment(name="start_time"),
        Moment(name="end_time"),
        Mapping(name="env_yaml"),
        Text(name="buildpack_url", nullable=True, writable=False),
        Text(name="buildpack_version", nullable=True, writable=False),
        Text(name="revision", nullable=True, writable=False),
        Link(name="image", to=lambda: IMAGES, writable=False),
    ),
    filters={"app": Through(lambda: APPS), "tag": "tag", "status": "status"},
    order=("-id",),
    select=("app", "image"),
)


def _name_by_content(release: models.Release) -> None:
    """A release gets its hash once its build is done; until then it has none."""
    if release.build.is_usable:
        release.hash = release.compute_hash()


RELEASES: Resource = Resource(
    name="releases",
    noun="release",
    model=models.Release,
    fields=(
        Link(name="build", to=lambda: BUILDS),
        *proc_settings(),
        Text(name="hash", nullable=True, writable=False),
        Computed(name="compiled_name", value=lambda release, _: release.compiled_name),
        Moment(name="created"),
    ),
    filters={"build": Through(lambda: BUILDS)},
    order=("-id",),
    select=("build__app", "build__image"),
    finish=_name_by_content,
)
