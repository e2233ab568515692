"""What shall run where, and how it gets there: swarms and dispatches (api-v1.md 4)."""

from __future__ import annotations

from typing import Any

from vr.server import models
from vr.server.api import procs
from vr.server.api.dispatches import latest_uri, seconds_of, steps_of
from vr.server.api.fields import (
    Computed,
    Integer,
    Link,
    Links,
    Mapping,
    Moment,
    Text,
    find_linked,
)
from vr.server.api.filters import Through
from vr.server.api.proc_settings import proc_settings
from vr.server.api.resource import Resource
from vr.server.api.resources.code import APPS, BUILDS, RELEASES
from vr.server.api.resources.fleet import SQUADS

INGREDIENTS: Resource = Resource(
    name="ingredients",
    noun="ingredient",
    model=models.Ingredient,
    label="name",
    fields=(
        Text(name="name"),
        Mapping(name="config_yaml"),
        Mapping(name="env_yaml"),
        Computed(
            name="swarms",
            value=lambda ingredient, _: [SWARMS.uri(one) for one in ingredient.swarms.all()],
            shape="array",
        ),
    ),
    filters={"name": "name"},
    order=("name",),
    prefetch=("swarms",),
)


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
    model=models.Swarm,
    fields=(
        Link(name="app", to=lambda: APPS),
        Link(name="squad", to=lambda: SQUADS),
        Text(name="version", attribute="tag"),
        Link(name="release", to=lambda: RELEASES, writable=False),
        Text(name="config_name"),
        Text(name="proc_name"),
        Integer(name="size"),
        Text(name="pool", nullable=True),
        Text(name="balancer", nullable=True),
        *proc_settings(),
        Links(name="config_ingredients", to=lambda: INGREDIENTS),
        Computed(name="name", value=lambda swarm, _: swarm.name),
        Computed(name="shortname", value=lambda swarm, _: swarm.shortname),
        Computed(name="app_name", value=lambda swarm, _: swarm.app.name),
        Computed(name="squad_name", value=lambda swarm, _: swarm.squad.name),
        Computed(
            name="compiled_config", value=lambda swarm, _: swarm.compiled_config(), shape="object"
        ),
        Computed(name="compiled_env", value=lambda swarm, _: swarm.compiled_env(), shape="object"),
        Computed(name="latest_dispatch", value=latest_uri),
        Computed(name="procs_uri", value=lambda swarm, _: f"{SWARMS.uri(swarm)}procs/"),
        Computed(name="procs", value=procs.of_swarm, shape="array"),
    ),
    filters={
        "app": Through(lambda: APPS),
        "squad": Through(lambda: SQUADS),
        "proc_name": "proc_name",
        "config_name": "config_name",
        "pool": "pool",
    },
    order=("app__name", "config_name", "proc_name"),
    select=("app", "squad", "release"),
    prefetch=("config_ingredients",),
    prepare=_version_of_release,
)


DISPATCHES: Resource = Resource(
    name="dispatches",
    noun="dispatch",
    model=models.Dispatch,
    key="trace_id",
    fields=(
        Text(name="trace_id"),
        Text(name="status"),
        Text(name="version", attribute="tag"),
        Integer(name="size"),
        Text(name="error"),
        Text(name="output"),
        Computed(name="name", value=lambda dispatch, _: dispatch.swarm.name),
        Link(name="swarm", to=lambda: SWARMS),
        Link(name="build", to=lambda: BUILDS),
        Link(name="release", to=lambda: RELEASES),
        Link(name="previous_release", to=lambda: RELEASES),
        Computed(
            name="user",
            value=lambda dispatch, _: dispatch.user.get_username() if dispatch.user else None,
        ),
        Moment(name="created"),
        Moment(name="started"),
        Moment(name="ended"),
        Computed(name="seconds", value=lambda dispatch, _: seconds_of(dispatch), shape="number"),
        Computed(name="steps", value=lambda dispatch, _: steps_of(dispatch), shape="array"),
    ),
    filters={"swarm": Through(lambda: SWARMS), "status": "status", "tag": "tag"},
    order=("-id",),
    select=("swarm__app", "release", "previous_release", "build", "user"),
    prefetch=("steps",),
    read_only=True,
)
