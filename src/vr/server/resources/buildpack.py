"""Buildpacks: what compiles an app."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Integer, Text
from vr.server.resources.resource import Resource

BUILDPACKS = Resource(
    name="buildpacks",
    noun="buildpack",
    about="What compiles an app.",
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
