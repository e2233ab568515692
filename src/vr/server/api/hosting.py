"""Hosts as a whole: prepare, check, remove. Each answers at once, with the job to follow."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from django.http import HttpRequest, JsonResponse
from ninja import Router

from vr.server.api.body import ActionBody, Asked
from vr.server.api.openapi.operations import LOCATION, Answer, key_of, operation
from vr.server.host_addresses import server_key
from vr.server.hosting import asking
from vr.server.models import Host, HostJob
from vr.server.resources import HOST_JOBS, HOSTS
from vr.server.resources.fields import Flag, Text
from vr.server.resources.shapes import PATH, TEXT, record

router = Router(tags=["hosts"])

PREPARING = ActionBody(
    Asked(Text(name="password"), Host),
    Asked(Text(name="sudo_password"), Host),
    Asked(Text(name="fingerprint"), Host),
    Asked(Flag(name="new_key"), Host),
    Asked(Flag(name="activate"), Host),
)
_HOST = [key_of(HOSTS)]
_QUEUED = {202: Answer("the job is queued", record({"job": PATH}), headers=LOCATION)}


@router.get(
    "/server_key/",
    operation_id="hosts_server_key",
    openapi_extra=operation(
        HTTPMethod.GET, {200: Answer("the public half", record({"public": TEXT}))}
    ),
)
def public_key(request: HttpRequest) -> Any:
    """The SSH key with which the server signs in on hosts, as a line of authorized_keys."""
    return JsonResponse({"public": server_key().public})


@router.post(
    "/{key}/prepare/",
    operation_id="hosts_prepare",
    openapi_extra=operation(
        HTTPMethod.POST, _QUEUED, path=_HOST, body=PREPARING.schema, is_body_needed=False
    ),
)
def prepare(request: HttpRequest, key: str) -> Any:
    """Make the machine a host over SSH, or bring its software to this server's version.

    `password` signs in this once, to leave the server's key there; `fingerprint` is what its key
    must have if none is pinned yet; `new_key` pins another; `activate`: it gets procs then.
    """
    told = PREPARING.read(request, f"host {key}")
    activates = bool(told.pop("activate"))
    given = {name: value for name, value in told.items() if value}
    return _queued(
        asking.prepare(HOSTS.get(key), user=_user(request), activates=activates, **given)
    )


@router.post(
    "/{key}/check/",
    operation_id="hosts_check",
    openapi_extra=operation(HTTPMethod.POST, _QUEUED, path=_HOST),
)
def check(request: HttpRequest, key: str) -> Any:
    """Look whether the host can be reached, and can run procs."""
    return _queued(asking.check(HOSTS.get(key), user=_user(request)))


@router.post(
    "/{key}/remove/",
    operation_id="hosts_remove",
    openapi_extra=operation(HTTPMethod.POST, _QUEUED, path=_HOST),
)
def remove(request: HttpRequest, key: str) -> Any:
    """Remove all of ours from the machine, and then the host. 409 while procs are on it."""
    return _queued(asking.remove(HOSTS.get(key), user=_user(request)))


def _queued(job: HostJob) -> JsonResponse:
    uri = HOST_JOBS.uri(job)
    return JsonResponse({"job": uri}, status=202, headers={"Location": uri})


def _user(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]
