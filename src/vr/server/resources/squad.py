"""Squads: hosts of one kind."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Number, Text
from vr.server.resources.links import Links
from vr.server.resources.resource import Resource, Through

SQUADS = Resource(
    name="squads",
    noun="squad",
    about="Hosts of one kind.",
    model=models.Squad,
    key="name",
    fields=(
        Text(name="name"),
        Number(name="rescue_after", whole=True),
        Links(name="hosts", to="hosts", full=True),
    ),
    filters={"name": "name", "hosts": Through("hosts")},
    order=("name",),
    prefetch=("hosts__squad",),
)
