"""The resources: what the API and the streams show of the server's records, and let be changed.

`TABLE` has them all, each from the file of its noun; `fields` and `links` say how a value is shown
and understood.
"""

from vr.server.resources import registry
from vr.server.resources.app import APPS
from vr.server.resources.build import BUILDS
from vr.server.resources.buildpack import BUILDPACKS
from vr.server.resources.dispatch import DISPATCHES
from vr.server.resources.event import EVENTS
from vr.server.resources.host import HOST_JOBS, HOSTS
from vr.server.resources.image import IMAGES
from vr.server.resources.ingredient import INGREDIENTS
from vr.server.resources.log_entry import LOGS
from vr.server.resources.notifier import NOTICES, NOTIFIERS
from vr.server.resources.release import RELEASES
from vr.server.resources.resource import Resource
from vr.server.resources.squad import SQUADS
from vr.server.resources.stack import STACKS
from vr.server.resources.swarm import SWARMS
from vr.server.resources.test_result import TEST_RESULTS
from vr.server.resources.test_run import TEST_RUNS
from vr.server.resources.user import USERS

TABLE: tuple[Resource, ...] = (
    APPS,
    BUILDPACKS,
    BUILDS,
    DISPATCHES,
    EVENTS,
    HOST_JOBS,
    HOSTS,
    IMAGES,
    INGREDIENTS,
    LOGS,
    NOTICES,
    NOTIFIERS,
    RELEASES,
    SQUADS,
    STACKS,
    SWARMS,
    TEST_RESULTS,
    TEST_RUNS,
    USERS,
)

_BY_NAME = {one.name: one for one in TABLE}
registry.register(TABLE)


def resource_named(name: str) -> Resource:
    """The resource of that name; a KeyError is a mistake in the table."""
    return _BY_NAME[name]


__all__ = [
    "APPS",
    "BUILDPACKS",
    "BUILDS",
    "DISPATCHES",
    "EVENTS",
    "HOSTS",
    "HOST_JOBS",
    "IMAGES",
    "INGREDIENTS",
    "LOGS",
    "NOTICES",
    "NOTIFIERS",
    "RELEASES",
    "SQUADS",
    "STACKS",
    "SWARMS",
    "TABLE",
    "TEST_RESULTS",
    "TEST_RUNS",
    "USERS",
    "resource_named",
]
