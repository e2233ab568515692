"""Images: the OS images of stacks."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Flag, Moment, StoredFile, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through

IMAGES = Resource(
    name="images",
    noun="image",
    about="OS images of stacks.",
    model=models.Image,
    label="name",
    fields=(
        Text(name="name"),
        Link(name="stack", to="stacks"),
        StoredFile(name="file"),
        Text(name="md5", nullable=True),
        Flag(name="active"),
        Moment(name="created"),
    ),
    filters={"name": "name", "active": "active", "stack": Through("stacks")},
    order=("-id",),
    select=("stack",),
    read_only=True,
)
