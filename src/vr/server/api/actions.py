"""What can be done beside changing rows: swarm, roll back, scale, build, deploy."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.errors import InvalidInput
from vr.server.api.body import json_object
from vr.server.api.errors import NotFound
from vr.server.api.fields import Answering, Integer, Text, find_linked
from vr.server.api.procs import of_swarm
from vr.server.api.resources import BUILDS, DISPATCHES, HOSTS, RELEASES, SWARMS, TEST_RUNS
from vr.server.models import Dispatch
from vr.server.swarming import asking
from vr.server.swarming.procs import deploy_release

swarms = Router(tags=["swarms"])
builds = Router(tags=["builds"])
releases = Router(tags=["releases"])
testruns = Router(tags=["testruns"])


@swarms.post("/{key}/swarm/", operation_id="swarms_swarm")
def swarm(request: HttpRequest, key: str) -> Any:
    """Dispatch a swarm; the body may hold another `version` and `size` for it.

    202 with the trace id; 409 while another dispatch of it is open.
    """
    body = _Body(json_object(request), f"swarm {key}")
    tag, size = body.text("version"), body.integer("size")
    body.check()
    found = SWARMS.get(key)
    return _accepted(asking.dispatch(found, user=_user(request), tag=tag, size=size))


@swarms.post("/{key}/rollback/", operation_id="swarms_rollback")
def rollback(request: HttpRequest, key: str) -> Any:
    """Go back to the last release that was dispatched with success before this one."""
    return _accepted(asking.rollback(SWARMS.get(key), user=_user(request)))


@swarms.post("/{key}/scale/", operation_id="swarms_scale")
def scale(request: HttpRequest, key: str) -> Any:
    """Run `size` procs of what runs now."""
    body = _Body(json_object(request), f"swarm {key}")
    size = body.integer("size", required=True)
    body.check()
    return _accepted(asking.scale(SWARMS.get(key), size or 0, user=_user(request)))


@swarms.get("/{key}/procs/", operation_id="swarms_procs")
def swarm_procs(request: HttpRequest, key: str) -> Any:
    """The swarm's procs as their hosts last pushed them."""
    return JsonResponse({"objects": of_swarm(SWARMS.get(key), Answering(request))})


@builds.post("/{key}/build/", operation_id="builds_build")
def build(request: HttpRequest, key: str) -> Any:
    """Take the stack's active image into the build, and queue it."""
    with transaction.atomic():
        found = BUILDS.get(key, for_change=True)
        asking.queue_build(found, user=_user(request))
    return HttpResponse(status=202)


@releases.post("/{key}/deploy/", operation_id="releases_deploy")
def deploy(request: HttpRequest, key: str) -> Any:
    """Queue a deploy of one proc: `host`, `port` (0: none), `proc` and `config_name`."""
    release = RELEASES.get(key)
    body = _Body(json_object(request), f"deploy of {release}")
    host = body.linked_host("host")
    port = body.integer("port", required=True)
    proc = body.text("proc", required=True)
    config = body.text("config_name", required=True)
    body.check()
    deploy_release(
        release,
        host=host,
        port=port or 0,
        proc=proc or "",
        config_name=config or "",
        user=_user(request),
    )
    return HttpResponse(status=202)


@testruns.get("/latest/", operation_id="testruns_latest")
def latest(request: HttpRequest) -> Any:
    """Redirect to the newest finished run."""
    newest = TEST_RUNS.queryset().filter(end__isnull=False).first()
    if newest is None:
        raise NotFound("No test run has finished yet.")
    query = request.META.get("QUERY_STRING", "")
    location = TEST_RUNS.uri(newest) + (f"?{query}" if query else "")
    return HttpResponse(status=302, headers={"Location": location})


class _Body:
    """Typed reading of a body's keys; `check` raises InvalidInput with all problems at once."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        self._data = data
        self._where = where
        self._problems: list[str] = []

    def text(self, key: str, *, required: bool = False) -> str | None:
        found: str | None = self._read(Text(name=key), required)
        return found

    def integer(self, key: str, *, required: bool = False) -> int | None:
        found: int | None = self._read(Integer(name=key), required)
        return found

    def linked_host(self, key: str) -> Any:
        try:
            return find_linked(HOSTS, self._data.get(key))
        except ValueError as error:
            self._problems.append(f"{key}: {error}")
            return None

    def check(self) -> None:
        if self._problems:
            raise InvalidInput(self._where, self._problems)

    def _read(self, field: Text | Integer, required: bool) -> Any:
        value = self._data.get(field.name)
        if value is None:
            if required:
                self._problems.append(f"{field.name}: is missing")
            return None
        try:
            return field.load(value)
        except ValueError as error:
            self._problems.append(f"{field.name}: {error}")
            return None


def _user(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]


def _accepted(dispatch: Dispatch) -> JsonResponse:
    return JsonResponse(
        {"swarm_id": dispatch.trace_id},
        status=202,
        headers={"Location": DISPATCHES.uri(dispatch)},
    )
