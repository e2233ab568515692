"""The HTTP API, version 1: its address tree, who may use it, and how errors look."""

from __future__ import annotations

from functools import cache
from http import HTTPMethod
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Router

from vr.server.access.authentication import user_of
from vr.server.answers import NotFound
from vr.server.api import actions, errors, host_procs, hosting, uploads, uptests
from vr.server.api.crud import router_of
from vr.server.api.openapi.components import shape_of_page
from vr.server.api.openapi.document import description
from vr.server.api.openapi.operations import Answer, operation
from vr.server.api.paging import LARGEST_LIMIT
from vr.server.resources import TABLE
from vr.server.resources.resource import PREFIX
from vr.server.resources.shapes import PATH, component, record

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

_ABOUT = """All that the web pages and `vr` do. Addresses end with a slash.

Related objects are shown as paths; written, a path, a name, an id or the whole document will do.
Keys that are unknown or read-only are ignored, so documents may be sent back whole. Lists take
search keys beyond those described: every `relation__field` may end in a lookup."""

api = NinjaAPI(
    title="Velociraptor",
    version="1",
    description=_ABOUT,
    urls_namespace="api",
    auth=user_of,
    # Both are served below, as tokens open the one and only sessions can use the other.
    openapi_url="",
    docs_url="",
)
errors.register(api)


_ROOT = {
    "type": "object",
    "additionalProperties": record({"list_endpoint": PATH}),
}


@api.get(
    "/",
    operation_id="root",
    tags=["root"],
    openapi_extra=operation(HTTPMethod.GET, {200: Answer("every resource's path", _ROOT)}),
)
def root(request: HttpRequest) -> Any:
    """Where each resource is."""
    return JsonResponse({one.name: {"list_endpoint": one.path} for one in TABLE})


@api.get(
    "/balancers/",
    operation_id="balancers_list",
    tags=["balancers"],
    openapi_extra=operation(
        HTTPMethod.GET, {200: Answer("all of them", component(shape_of_page("Balancer")))}
    ),
)
def balancers(request: HttpRequest) -> Any:
    """The balancers that the settings name, and which of them is the default."""
    objects = [
        {
            "name": name,
            "backend": entry.get("BACKEND"),
            "default": name == settings.DEFAULT_BALANCER,
        }
        for name, entry in settings.BALANCERS.items()
    ]
    meta = {"limit": LARGEST_LIMIT, "offset": 0, "total_count": len(objects)}
    return JsonResponse({"meta": {**meta, "previous": None, "next": None}, "objects": objects})


@api.get("/openapi.json", url_name="openapi-json", include_in_schema=False)
def openapi(request: HttpRequest) -> Any:
    """This API, described for programs."""
    return JsonResponse(_described())


@login_required
def docs(request: HttpRequest) -> HttpResponse:
    """The page on which people try the API."""
    return api.docs.render_page(request, api)


@cache
def _described() -> dict[str, Any]:
    return description(api)


# Before the resources, as `testruns/latest/` would be a test run's detail otherwise.
api.add_router("/testruns", uptests.testruns)
api.add_router("/builds", uploads.router)
api.add_router("/hosts", hosting.router)
for _resource in TABLE:
    api.add_router(f"/{_resource.name}", router_of(_resource))
api.add_router("/swarms", actions.swarms)
api.add_router("/swarms", uptests.swarms)
api.add_router("/dispatches", actions.dispatches)
api.add_router("/squads", actions.squads)
api.add_router("/notifiers", actions.notifiers)
api.add_router("/builds", actions.builds)
api.add_router("/releases", actions.releases)
api.add_router("/hosts", host_procs.router)
api.add_router("/hosts", uptests.procs)


_elsewhere = Router()


@_elsewhere.api_operation(_METHODS, "/{path:rest}", include_in_schema=False, auth=None)
def unknown(request: HttpRequest, rest: str) -> Any:
    """Addresses that are none: JSON, and never a redirect of a POST to where a slash is."""
    names = ", ".join(one.name for one in TABLE)
    raise NotFound(
        f"There is nothing at {request.path}.",
        hint=f"Addresses are {PREFIX}/<resource>/ and end with '/'; resources: {names}.",
    )


api.add_router("", _elsewhere)
