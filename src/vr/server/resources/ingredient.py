"""Ingredients: config that swarms share."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Mapping, Text
from vr.server.resources.links import Links
from vr.server.resources.resource import Resource

INGREDIENTS = Resource(
    name="ingredients",
    noun="ingredient",
    about="Config that swarms share.",
    model=models.Ingredient,
    label="name",
    fields=(
        Text(name="name"),
        Mapping(name="config_yaml"),
        Mapping(name="env_yaml"),
        Links(name="swarms", to="swarms", writable=False),
    ),
    filters={"name": "name"},
    order=("name",),
    prefetch=("swarms",),
)
