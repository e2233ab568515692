"""What can be done beside changing rows: swarm, roll back, scale, cancel, build, deploy."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.server.api.body import ActionBody, Asked
from vr.server.api.manner import MANNER, manner_of
from vr.server.api.openapi.operations import LOCATION, Answer, key_of, operation
from vr.server.builds import asking as asking_for_builds
from vr.server.caretaking.squads import rescue_squad
from vr.server.models import Dispatch, PortLease, Swarm
from vr.server.notices import asking as asking_for_notices
from vr.server.resources import (
    BUILDS,
    DISPATCHES,
    NOTICES,
    NOTIFIERS,
    RELEASES,
    SQUADS,
    SWARMS,
)
from vr.server.resources.fields import Answering, Integer, Text
from vr.server.resources.links import Link
from vr.server.resources.procs import PROCS, of_swarm
from vr.server.resources.shapes import PATH, TEXT, Schema, list_of, record
from vr.server.swarming import asking
from vr.server.swarming.manual import deploy_release

swarms = Router(tags=["swarms"])
dispatches = Router(tags=["dispatches"])
builds = Router(tags=["builds"])
releases = Router(tags=["releases"])
squads = Router(tags=["squads"])
notifiers = Router(tags=["notifiers"])

_VERSION, _SIZE = Text(name="version", attribute="tag"), Integer(name="size")
# "-" means the version that the swarm has.
SWARMING = ActionBody(Asked(_VERSION, Swarm, also="-"), Asked(_SIZE, Swarm), *MANNER)
ROLLING_BACK = ActionBody(*MANNER)
SCALING = ActionBody(Asked(_SIZE, Swarm, required=True))
DEPLOYING = ActionBody(
    Asked(Link(name="host", to="hosts"), PortLease, required=True),
    Asked(Integer(name="port"), PortLease, required=True),
    Asked(Text(name="proc", attribute="proc_name"), Swarm, required=True),
    Asked(Text(name="config_name"), Swarm, required=True),
)
_TRACE: Schema = {**TEXT, "pattern": "^[0-9a-f]{32}$", "description": "the dispatch's trace id"}
_ACCEPTED = {202: Answer("the dispatch is queued", record({"swarm_id": _TRACE}), headers=LOCATION)}
_SWARM, _BUILD, _RELEASE = ([key_of(one)] for one in (SWARMS, BUILDS, RELEASES))


@swarms.post(
    "/{key}/swarm/",
    operation_id="swarms_swarm",
    openapi_extra=operation(
        HTTPMethod.POST,
        _ACCEPTED,
        path=_SWARM,
        body=SWARMING.schema,
        is_body_needed=False,
        refusals={503},
    ),
)
def swarm(request: HttpRequest, key: str) -> Any:
    """Dispatch a swarm; the body may hold another `version` and `size` for it, and how it is to
    go: `hold` (wait before the route), `canary` and `canary_seconds` (so many new procs are tried
    beside the old ones first), `batch` (so many are replaced at a time).

    202 with the trace id; 409 while another dispatch of it is open and not held.
    """
    told = SWARMING.read(request, f"swarm {key}")
    dispatch = asking.dispatch(
        SWARMS.get(key),
        user=_user(request),
        tag=told["version"],
        size=told["size"],
        manner=manner_of(told),
    )
    return _accepted(dispatch)


@swarms.post(
    "/{key}/rollback/",
    operation_id="swarms_rollback",
    openapi_extra=operation(
        HTTPMethod.POST,
        _ACCEPTED,
        path=_SWARM,
        body=ROLLING_BACK.schema,
        is_body_needed=False,
        refusals={503},
    ),
)
def rollback(request: HttpRequest, key: str) -> Any:
    """Go back to the last release that was dispatched with success before this one; the body may
    say how, as for a swarm."""
    told = ROLLING_BACK.read(request, f"rollback of {key}")
    swarm = SWARMS.get(key)
    return _accepted(asking.rollback(swarm, user=_user(request), manner=manner_of(told)))


@swarms.post(
    "/{key}/scale/",
    operation_id="swarms_scale",
    openapi_extra=operation(
        HTTPMethod.POST, _ACCEPTED, path=_SWARM, body=SCALING.schema, refusals={503}
    ),
)
def scale(request: HttpRequest, key: str) -> Any:
    """Run `size` procs of what runs now."""
    told = SCALING.read(request, f"swarm {key}")
    return _accepted(asking.scale(SWARMS.get(key), told["size"], user=_user(request)))


@swarms.get(
    "/{key}/procs/",
    operation_id="swarms_procs",
    openapi_extra=operation(
        HTTPMethod.GET,
        {200: Answer("the procs", record({"objects": PROCS}))},
        path=_SWARM,
        refusals={503},
    ),
)
def swarm_procs(request: HttpRequest, key: str) -> Any:
    """The swarm's procs as their hosts last pushed them."""
    return JsonResponse({"objects": of_swarm(SWARMS.get(key), Answering(request))})


@dispatches.post(
    "/{key}/cancel/",
    operation_id="dispatches_cancel",
    openapi_extra=operation(
        HTTPMethod.POST,
        {202: Answer("it is being undone")},
        path=[key_of(DISPATCHES)],
        refusals={503},
    ),
)
def cancel(request: HttpRequest, key: str) -> Any:
    """End an open dispatch, and undo what it did."""
    asking.cancel(DISPATCHES.get(key), user=_user(request))
    return HttpResponse(status=202)


@dispatches.post(
    "/{key}/route/",
    operation_id="dispatches_route",
    openapi_extra=operation(
        HTTPMethod.POST,
        {202: Answer("it is tested again, and routed")},
        path=[key_of(DISPATCHES)],
        refusals={503},
    ),
)
def route(request: HttpRequest, key: str) -> Any:
    """Let a dispatch go on that is held."""
    asking.route(DISPATCHES.get(key), user=_user(request))
    return HttpResponse(status=202)


@dispatches.post(
    "/{key}/retry/",
    operation_id="dispatches_retry",
    openapi_extra=operation(HTTPMethod.POST, _ACCEPTED, path=[key_of(DISPATCHES)], refusals={503}),
)
def retry(request: HttpRequest, key: str) -> Any:
    """Try again what a dispatch was to do that failed, or was cancelled."""
    return _accepted(asking.retry(DISPATCHES.get(key), user=_user(request)))


@builds.post(
    "/{key}/build/",
    operation_id="builds_build",
    openapi_extra=operation(
        HTTPMethod.POST, {202: Answer("the build is queued")}, path=_BUILD, refusals={503}
    ),
)
def build(request: HttpRequest, key: str) -> Any:
    """Take the stack's active image into the build, and queue it."""
    with transaction.atomic():
        found = BUILDS.get(key, for_change=True)
        asking_for_builds.queue_build(found, user=_user(request))
    return HttpResponse(status=202)


@builds.post(
    "/{key}/cancel/",
    operation_id="builds_cancel",
    openapi_extra=operation(
        HTTPMethod.POST, {202: Answer("it is being ended")}, path=_BUILD, refusals={503}
    ),
)
def cancel_build(request: HttpRequest, key: str) -> Any:
    """End a build that has not ended; it fails, saying who cancelled it."""
    asking_for_builds.cancel_build(BUILDS.get(key), user=_user(request))
    return HttpResponse(status=202)


@squads.post(
    "/{key}/rescue/",
    operation_id="squads_rescue",
    openapi_extra=operation(
        HTTPMethod.POST,
        {202: Answer("the dispatches are queued", record({"swarm_ids": list_of(_TRACE)}))},
        path=[key_of(SQUADS)],
        refusals={503},
    ),
)
def rescue(request: HttpRequest, key: str) -> Any:
    """Place the procs of the squad's silent hosts on its others."""
    opened = rescue_squad(SQUADS.get(key), user=_user(request))
    return JsonResponse({"swarm_ids": [one.trace_id for one in opened]}, status=202)


@notifiers.post(
    "/{key}/test/",
    operation_id="notifiers_test",
    openapi_extra=operation(
        HTTPMethod.POST,
        {202: Answer("a notice is queued", record({"notice": PATH}), headers=LOCATION)},
        path=[key_of(NOTIFIERS)],
    ),
)
def test_notifier(request: HttpRequest, key: str) -> Any:
    """Send a notice to it, once; its `status` tells whether it got there."""
    uri = NOTICES.uri(asking_for_notices.test(NOTIFIERS.get(key), user=_user(request)))
    return JsonResponse({"notice": uri}, status=202, headers={"Location": uri})


@releases.post(
    "/{key}/deploy/",
    operation_id="releases_deploy",
    openapi_extra=operation(
        HTTPMethod.POST,
        {202: Answer("the deploy is queued")},
        path=_RELEASE,
        body=DEPLOYING.schema,
        refusals={503},
    ),
)
def deploy(request: HttpRequest, key: str) -> Any:
    """Queue a deploy of one proc: `host`, `port` (0: none), `proc` and `config_name`."""
    release = RELEASES.get(key)
    told = DEPLOYING.read(request, f"deploy of {release}")
    deploy_release(release, **told, user=_user(request))
    return HttpResponse(status=202)


def _user(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]


def _accepted(dispatch: Dispatch) -> JsonResponse:
    return JsonResponse(
        {"swarm_id": dispatch.trace_id},
        status=202,
        headers={"Location": DISPATCHES.uri(dispatch)},
    )
