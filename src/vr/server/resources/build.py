"""Builds: an app at a tag, compiled."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Mapping, Moment, StoredFile, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through

BUILDS = Resource(
    name="builds",
    noun="build",
    about="An app at a tag, compiled.",
    model=models.Build,
    fields=(
        Link(name="app", to="apps"),
        Text(name="tag"),
        Text(name="status", writable=False),
        StoredFile(name="file"),
        StoredFile(name="compile_log"),
        Text(name="file_md5", nullable=True, writable=False),
        Text(name="hash", nullable=True, writable=False),
        Text(name="error", writable=False),
        Text(name="cancelled_by", nullable=True, writable=False),
        Moment(name="start_time"),
        Moment(name="end_time"),
        Mapping(name="env_yaml"),
        Text(name="buildpack_url", nullable=True, writable=False),
        Text(name="buildpack_version", nullable=True, writable=False),
        Text(name="revision", nullable=True, writable=False),
        Link(name="image", to="images", writable=False),
    ),
    filters={"app": Through("apps"), "tag": "tag", "status": "status"},
    order=("-id",),
    select=("app", "image"),
)
