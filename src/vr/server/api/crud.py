"""Serving one resource: list, detail, create, change, delete. The same for all of them."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.server.api.body import json_object
from vr.server.api.fields import Answering
from vr.server.api.filters import conditions
from vr.server.api.paging import Page
from vr.server.api.resource import Resource
from vr.server.records import changes as records


def router_of(resource: Resource) -> Router:
    """The router of a resource, to be mounted under its name."""
    router = Router(tags=[resource.name])
    detail = "/{key}/"

    @router.get("/", operation_id=f"{resource.name}_list", openapi_extra=_query(resource))
    def listing(request: HttpRequest) -> Any:
        """List what matches the search keys, a page at a time."""
        return _list(resource, request)

    @router.get(detail, operation_id=f"{resource.name}_get", openapi_extra=_answer(resource))
    def show(request: HttpRequest, key: str) -> Any:
        """Show one, by name or id."""
        return JsonResponse(resource.dump(resource.get(key), Answering(request)))

    if resource.read_only:
        return router
    body = _body(resource)

    @router.post("/", operation_id=f"{resource.name}_create", openapi_extra=body)
    def create(request: HttpRequest) -> Any:
        """Create one; its address is in `Location`."""
        return _create(resource, request, json_object(request))

    @router.put(detail, operation_id=f"{resource.name}_put", openapi_extra=body)
    def put(request: HttpRequest, key: str) -> Any:
        """Change one, or create it if its address is a name that is free."""
        data = json_object(request)
        if resource.key != "id" and resource.find(key) is None:
            return _create(resource, request, {**data, resource.key: key})
        return _change(resource, request, key, data, status=204)

    @router.patch(detail, operation_id=f"{resource.name}_change", openapi_extra=body)
    def change(request: HttpRequest, key: str) -> Any:
        """Change what is sent, and nothing else."""
        return _change(resource, request, key, json_object(request), status=202)

    @router.delete(detail, operation_id=f"{resource.name}_delete")
    def delete(request: HttpRequest, key: str) -> Any:
        """Delete one that nothing else needs."""
        return _delete(resource, request, key)

    return router


def _list(resource: Resource, request: HttpRequest) -> HttpResponse:
    page = Page.requested(request.GET)
    searched = [(key, text) for key, texts in request.GET.lists() for text in texts]
    found = resource.queryset().filter(reduce(and_, conditions(resource, searched), Q()))
    if any("__" in key for key, _ in searched):
        # A relation to many may match an object several times.
        found = found.distinct()
    total = found.count()
    answering = Answering(request)
    rows = found[page.offset : page.offset + page.limit]
    objects = [resource.dump(one, answering) for one in rows]
    return JsonResponse({"meta": page.meta(request, total), "objects": objects})


def _create(resource: Resource, request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    created = resource.model()
    records.save(created, user=_user(request), write=lambda: resource.write(created, data))
    return HttpResponse(status=201, headers={"Location": resource.uri(created)})


def _change(
    resource: Resource, request: HttpRequest, key: str, data: dict[str, Any], *, status: int
) -> HttpResponse:
    with transaction.atomic():
        changed = resource.get(key, for_change=True)
        records.save(changed, user=_user(request), write=lambda: resource.write(changed, data))
    return HttpResponse(status=status)


def _delete(resource: Resource, request: HttpRequest, key: str) -> HttpResponse:
    records.delete(resource.get(key), user=_user(request))
    return HttpResponse(status=204)


def _user(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]


def _query(resource: Resource) -> dict[str, Any]:
    names = ["limit", "offset", *resource.filters]
    return {
        "parameters": [
            {"in": "query", "name": name, "schema": {"type": "string"}} for name in names
        ]
    }


def _answer(resource: Resource) -> dict[str, Any]:
    properties = {one.name: one.schema for one in resource.fields}
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    return {"responses": {200: {"description": f"the {resource.noun}", "content": content}}}


def _body(resource: Resource) -> dict[str, Any]:
    properties = {one.name: one.schema for one in resource.fields if one.writable}
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    return {"requestBody": {"content": content, "required": True}}
