"""Apps: where their code lives, and what builds it."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Computed, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through

APPS = Resource(
    name="apps",
    noun="app",
    about="Where an app's code lives, and what builds it.",
    model=models.App,
    key="name",
    fields=(
        Text(name="name"),
        Text(name="repo_url"),
        Text(name="repo_type"),
        Link(name="buildpack", to="buildpacks"),
        Text(name="framework", nullable=True),
        Link(name="stack", to="stacks"),
        # The original rewrote schemes here from the server's hgrc; nothing of ours does.
        Computed(name="resolved_url", value=lambda app, _: app.repo_url),
    ),
    filters={
        "id": "id",
        "name": "name",
        "buildpack": Through("buildpacks"),
        "stack": Through("stacks"),
    },
    order=("name",),
    select=("buildpack", "stack"),
)
