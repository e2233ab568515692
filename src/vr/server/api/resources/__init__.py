"""The table of resources: what the API shows and lets be changed."""

from vr.server.api.resource import Resource
from vr.server.api.resources.code import APPS, BUILDPACKS, BUILDS, IMAGES, RELEASES, STACKS
from vr.server.api.resources.fleet import HOSTS, SQUADS
from vr.server.api.resources.history import EVENTS, LOGS, TEST_RESULTS, TEST_RUNS, USERS
from vr.server.api.resources.swarms import DISPATCHES, INGREDIENTS, SWARMS

TABLE: tuple[Resource, ...] = (
    APPS,
    BUILDPACKS,
    BUILDS,
    DISPATCHES,
    EVENTS,
    HOSTS,
    IMAGES,
    INGREDIENTS,
    LOGS,
    RELEASES,
    SQUADS,
    STACKS,
    SWARMS,
    TEST_RESULTS,
    TEST_RUNS,
    USERS,
)

__all__ = [
    "APPS",
    "BUILDPACKS",
    "BUILDS",
    "DISPATCHES",
    "EVENTS",
    "HOSTS",
    "IMAGES",
    "INGREDIENTS",
    "LOGS",
    "RELEASES",
    "SQUADS",
    "STACKS",
    "SWARMS",
    "TABLE",
    "TEST_RESULTS",
    "TEST_RUNS",
    "USERS",
]
