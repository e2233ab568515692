"""Uptests that somebody asks for: of a swarm, of a proc, of all; and where the newest run is."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.server.answers import NotFound
from vr.server.api.openapi.operations import (
    LOCATION,
    Answer,
    key_of,
    operation,
    proc_parameter,
)
from vr.server.models import TestRun
from vr.server.resources import HOSTS, SWARMS, TEST_RUNS
from vr.server.resources.shapes import PATH, record
from vr.server.uptesting import asking

swarms = Router(tags=["swarms"])
procs = Router(tags=["procs"])
testruns = Router(tags=["testruns"])

_QUEUED = {202: Answer("the uptests are queued", record({"testrun": PATH}), headers=LOCATION)}


@swarms.post(
    "/{key}/uptest/",
    operation_id="swarms_uptest",
    openapi_extra=operation(HTTPMethod.POST, _QUEUED, path=[key_of(SWARMS)], refusals={503}),
)
def uptest_swarm(request: HttpRequest, key: str) -> Any:
    """Run the uptests of the swarm's procs; 409 while a dispatch deals with them."""
    return _queued(asking.uptest_swarm(SWARMS.get(key), user=_user(request)))


@procs.post(
    "/{key}/procs/{proc}/uptest/",
    operation_id="hosts_proc_uptest",
    openapi_extra=operation(
        HTTPMethod.POST, _QUEUED, path=[key_of(HOSTS), proc_parameter()], refusals={409, 503}
    ),
)
def uptest_proc(request: HttpRequest, key: str, proc: str) -> Any:
    """Run the proc's uptests; 409 while a dispatch deals with it, or if it doesn't serve."""
    return _queued(asking.uptest_proc(HOSTS.get(key), proc, user=_user(request)))


@testruns.post(
    "/uptest/",
    operation_id="testruns_uptest",
    openapi_extra=operation(HTTPMethod.POST, _QUEUED, refusals={503}),
)
def uptest_all(request: HttpRequest) -> Any:
    """Run the uptests of all procs that serve."""
    return _queued(asking.uptest_all(user=_user(request)))


@testruns.get(
    "/latest/",
    operation_id="testruns_latest",
    openapi_extra=operation(
        HTTPMethod.GET, {302: Answer("where the test run is", headers=LOCATION)}, refusals={404}
    ),
)
def latest(request: HttpRequest) -> Any:
    """Redirect to the newest finished run."""
    newest = TEST_RUNS.queryset().filter(end__isnull=False).first()
    if newest is None:
        raise NotFound("No test run has finished yet.")
    query = request.META.get("QUERY_STRING", "")
    location = TEST_RUNS.uri(newest) + (f"?{query}" if query else "")
    return HttpResponse(status=302, headers={"Location": location})


def _queued(round_: TestRun) -> JsonResponse:
    """The round, which has `end` when it is through."""
    uri = TEST_RUNS.uri(round_)
    return JsonResponse({"testrun": uri}, status=202, headers={"Location": uri})


def _user(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]
