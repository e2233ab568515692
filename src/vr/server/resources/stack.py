"""Stacks: what apps build and run in."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Computed, Text
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import TEXT, or_null

STACKS = Resource(
    name="stacks",
    noun="stack",
    about="What apps build and run in.",
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
            schema=or_null(TEXT),
        ),
    ),
    filters={"name": "name", "id": "id"},
    order=("name",),
)
