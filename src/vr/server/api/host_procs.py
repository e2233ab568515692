"""Procs under their hosts: look at one, start, stop, restart, delete it, read its log."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.hosts.supervisor import HostUnreachable
from vr.server.answers import HostFault, NotFound
from vr.server.api.body import ActionBody, Asked, json_object
from vr.server.api.openapi.operations import (
    Answer,
    key_of,
    operation,
    proc_parameter,
)
from vr.server.models import PortLease
from vr.server.records import adopting
from vr.server.resources import HOSTS, SWARMS, procs
from vr.server.resources.fields import Answering
from vr.server.resources.links import Link
from vr.server.resources.shapes import TEXT, component, record
from vr.server.swarming.proc_actions import UnknownProc, log_tail, proc_action

router = Router(tags=["procs"])

_ACTIONS = ("start", "stop", "restart")
_TAIL_BYTES = 64 * 1024
_LONGEST_TAIL = 4 * 1024 * 1024
_HOST = [key_of(HOSTS)]
_PROC = [*_HOST, proc_parameter()]
_ACTION = record({"action": {"type": "string", "enum": list(_ACTIONS)}})
_ADOPTION = ActionBody(Asked(Link(name="swarm", to="swarms"), PortLease))
_NOW = Answer("the proc as it is now", component("ProcNow"))
_LOG = Answer("the log's end", TEXT, content_type="text/plain")
_DELETED = Answer("the proc is gone", record({"name": TEXT, "deleted": {"const": True}}))
_LENGTH = {
    "name": "bytes",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 1, "maximum": _LONGEST_TAIL, "default": _TAIL_BYTES},
    "description": "how many bytes of the log's end",
}


@router.get(
    "/{key}/procs/",
    operation_id="hosts_procs",
    openapi_extra=operation(
        HTTPMethod.GET,
        {200: Answer("the procs", record({"objects": procs.PROCS}))},
        path=_HOST,
        refusals={503},
    ),
)
def listing(request: HttpRequest, key: str) -> Any:
    """All procs of a host as it last pushed them."""
    return JsonResponse({"objects": procs.of_host(HOSTS.get(key), Answering(request))})


@router.get(
    "/{key}/procs/{proc}/",
    operation_id="hosts_proc",
    openapi_extra=operation(
        HTTPMethod.GET, {200: Answer("the proc", component("Proc"))}, path=_PROC, refusals={503}
    ),
)
def show(request: HttpRequest, key: str, proc: str) -> Any:
    """One proc as its host last pushed it."""
    return JsonResponse(procs.one(HOSTS.get(key), proc, Answering(request)))


@router.post(
    "/{key}/procs/{proc}/",
    operation_id="hosts_proc_action",
    openapi_extra=operation(
        HTTPMethod.POST,
        {200: _NOW},
        path=_PROC,
        body=_ACTION,
        refusals={409, 503},
    ),
)
def act(request: HttpRequest, key: str, proc: str) -> Any:
    """`{"action": "start" | "stop" | "restart"}`; answers the proc as it is afterwards. A routed
    proc leaves its pool first, and comes into it again when its uptests have passed."""
    action = json_object(request).get("action")
    if action not in _ACTIONS:
        expected = ", ".join(_ACTIONS)
        raise InvalidInput(f"proc {proc}", [f"action: is {action!r}, expected one of {expected}"])
    return _acted(request, key, proc, action)


@router.post(
    "/{key}/procs/{proc}/adopt/",
    operation_id="hosts_proc_adopt",
    openapi_extra=operation(
        HTTPMethod.POST,
        {200: Answer("the swarm that owns it now", component("Swarm"))},
        path=_PROC,
        body=_ADOPTION.schema,
        is_body_needed=False,
        refusals={409, 503},
    ),
)
def adopt(request: HttpRequest, key: str, proc: str) -> Any:
    """Give a stray to `swarm`; without one, to the swarm that is called like it, which is made of
    its release if there is none. What runs is not touched."""
    told = _ADOPTION.read(request, f"stray {proc}")
    user = request.auth  # type: ignore[attr-defined]
    try:
        swarm = adopting.adopt(HOSTS.get(key), proc, told["swarm"], user=user)
    except UnknownProc as error:
        raise NotFound(error.message, hint=error.hint) from None
    return JsonResponse(SWARMS.dump(swarm, Answering(request)))


@router.delete(
    "/{key}/procs/{proc}/",
    operation_id="hosts_proc_delete",
    openapi_extra=operation(HTTPMethod.DELETE, {200: _DELETED}, path=_PROC, refusals={409, 503}),
)
def delete(request: HttpRequest, key: str, proc: str) -> Any:
    """Free the proc's port, stop it, and remove what it left on the host."""
    return _acted(request, key, proc, "delete")


@router.get(
    "/{key}/procs/{proc}/log/",
    operation_id="hosts_proc_log",
    openapi_extra=operation(
        HTTPMethod.GET,
        {200: _LOG},
        path=_PROC,
        query=[_LENGTH],
        refusals={503},
    ),
)
def log(request: HttpRequest, key: str, proc: str) -> Any:
    """The end of the proc's log as text: the last `bytes`, 64 KiB unless told."""
    asked = request.GET.get("bytes") or str(_TAIL_BYTES)
    if not (asked.isascii() and asked.isdecimal() and 0 < int(asked[:20]) <= _LONGEST_TAIL):
        expected = f"a number of bytes from 1 to {_LONGEST_TAIL} is expected"
        raise InvalidInput(f"log of {proc}", [f"bytes: is {asked!r}, but {expected}"])
    host = HOSTS.get(key)
    try:
        text = log_tail(host, proc, int(asked))
    except UnknownProc as error:
        raise NotFound(error.message, hint=error.hint) from None
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _acted(request: HttpRequest, key: str, proc: str, action: str) -> JsonResponse:
    host = HOSTS.get(key)
    user = request.auth  # type: ignore[attr-defined]
    try:
        return JsonResponse(proc_action(host, proc, action, user=user))
    except UnknownProc as error:
        raise NotFound(error.message, hint=error.hint) from None
    except (Busy, InvalidInput, HostUnreachable):
        raise
    except VelociraptorError as error:
        raise HostFault(error.message, hint=error.hint, details=error.details) from None
