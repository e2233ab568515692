"""Swarms: what shall run where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from vr.server import models
from vr.server.resources import procs
from vr.server.resources.dispatch import UNDER_WAY, latest_uri, under_way
from vr.server.resources.fields import Computed, Integer, Number, Text
from vr.server.resources.links import Link, Links, find_linked
from vr.server.resources.proc_settings import proc_settings
from vr.server.resources.release import RELEASES
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import OBJECT, PATH, or_null


def _readable(compiled: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The mapping, or one that says why it can't be read: other swarms of a list can."""
    try:
        return compiled()
    except ValidationError as error:
        return {"(can't be read)": " ".join(error.messages)}


def _version_of_release(data: dict[str, Any]) -> dict[str, Any]:
    """A swarm that is given a release, and no version, takes that release's tag."""
    if "version" not in data and data.get("release"):
        try:
            data["version"] = find_linked(RELEASES, data["release"]).build.tag
        except ValueError as error:
            raise ValueError(f"release: {error}") from None
    return data


SWARMS: Resource = Resource(
    name="swarms",
    noun="swarm",
    about="What shall run where: a proc of an app, so many, routed.",
    model=models.Swarm,
    fields=(
        Link(name="app", to="apps"),
        Link(name="squad", to="squads"),
        Text(name="version", attribute="tag"),
        Link(name="release", to="releases", writable=False),
        Text(name="config_name"),
        Text(name="proc_name"),
        Integer(name="size"),
        Text(name="pool", nullable=True),
        Text(name="balancer", nullable=True),
        Number(name="settle_seconds", whole=True),
        Text(name="check_path", nullable=True),
        Text(name="check_statuses", nullable=True),
        Number(name="unroute_after", whole=True),
        Number(name="read_timeout", whole=True),
        Text(name="body_size", nullable=True),
        Text(name="header_size", nullable=True),
        *proc_settings(),
        Links(name="config_ingredients", to="ingredients"),
        Computed(name="name", value=lambda swarm, _: swarm.name),
        Computed(name="shortname", value=lambda swarm, _: swarm.shortname),
        Computed(name="app_name", value=lambda swarm, _: swarm.app.name),
        Computed(name="squad_name", value=lambda swarm, _: swarm.squad.name),
        Computed(
            name="compiled_config",
            value=lambda swarm, _: _readable(swarm.compiled_config),
            schema=OBJECT,
        ),
        Computed(
            name="compiled_env", value=lambda swarm, _: _readable(swarm.compiled_env), schema=OBJECT
        ),
        Computed(name="under_way", value=under_way, schema=or_null(UNDER_WAY)),
        Computed(name="latest_dispatch", value=latest_uri, schema=or_null(PATH)),
        Computed(
            name="procs_uri", value=lambda swarm, _: f"{SWARMS.uri(swarm)}procs/", schema=PATH
        ),
        Computed(name="procs", value=procs.of_swarm, schema=procs.PROCS),
    ),
    filters={
        "app": Through("apps"),
        "squad": Through("squads"),
        "proc_name": "proc_name",
        "config_name": "config_name",
        "pool": "pool",
    },
    order=("app__name", "config_name", "proc_name"),
    select=("app", "squad", "release"),
    prefetch=("config_ingredients",),
    prepare=_version_of_release,
    prepare_reads=("release",),
    prepare_sets=("version",),
)
