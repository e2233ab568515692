"""Serving one resource: list, detail, create, change, delete. The same for all of them."""

from __future__ import annotations

from functools import reduce
from http import HTTPMethod
from operator import and_
from typing import Any

from django.db import DataError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from vr.errors import InvalidInput
from vr.server.api.body import json_object
from vr.server.api.filters import conditions
from vr.server.api.openapi.components import shape_of_page, shape_to_change, shape_to_create
from vr.server.api.openapi.operations import LOCATION, Answer, Part, key_of, operation
from vr.server.api.openapi.searching import search_parameters
from vr.server.api.paging import Page
from vr.server.records import changes as records
from vr.server.resources.fields import Answering
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import component


def router_of(resource: Resource) -> Router:
    """The router of a resource, to be mounted under its name."""
    router = Router(tags=[resource.name])
    detail = "/{key}/"
    name, described = resource.name, _descriptions(resource)

    @router.get("/", operation_id=f"{name}_list", openapi_extra=described["list"])
    def listing(request: HttpRequest) -> Any:
        """List what matches the search keys, a page at a time."""
        return _list(resource, request)

    @router.get(detail, operation_id=f"{name}_get", openapi_extra=described["get"])
    def show(request: HttpRequest, key: str) -> Any:
        """Show one, by name or id."""
        return JsonResponse(resource.dump(resource.get(key), Answering(request)))

    if resource.read_only:
        return router

    @router.post("/", operation_id=f"{name}_create", openapi_extra=described["create"])
    def create(request: HttpRequest) -> Any:
        """Create one; its address is in `Location`."""
        return _create(resource, request, json_object(request))

    @router.put(detail, operation_id=f"{name}_put", openapi_extra=described["put"])
    def put(request: HttpRequest, key: str) -> Any:
        """Change one, or create it if its address is a name that is free."""
        data = json_object(request)
        if resource.key != "id" and resource.find(key) is None:
            return _create(resource, request, {**data, resource.key: key})
        return _change(resource, request, key, data, status=204)

    @router.patch(detail, operation_id=f"{name}_change", openapi_extra=described["change"])
    def change(request: HttpRequest, key: str) -> Any:
        """Change what is sent, and nothing else."""
        return _change(resource, request, key, json_object(request), status=202)

    @router.delete(detail, operation_id=f"{name}_delete", openapi_extra=described["delete"])
    def delete(request: HttpRequest, key: str) -> Any:
        """Delete one that nothing else needs."""
        return _delete(resource, request, key)

    return router


def _descriptions(resource: Resource) -> dict[str, Part]:
    """What each operation takes and answers, by the end of its id."""
    noun, key = resource.noun, [key_of(resource)]
    document, listed = component(resource.component), component(shape_of_page(resource.component))
    created = {201: Answer(f"the {noun} was created", headers=LOCATION)}
    change_body = component(shape_to_change(resource))
    put = created if resource.key != "id" else {}
    found = {
        "list": operation(
            HTTPMethod.GET,
            {200: Answer(f"a page of {resource.name}", listed)},
            query=search_parameters(resource),
            refusals={503},
        ),
        "get": operation(
            HTTPMethod.GET, {200: Answer(f"the {noun}", document)}, path=key, refusals={503}
        ),
    }
    if resource.read_only:
        return found
    return found | {
        "create": operation(HTTPMethod.POST, created, body=component(shape_to_create(resource))),
        "put": operation(
            HTTPMethod.PUT,
            {204: Answer(f"the {noun} was changed"), **put},
            path=key,
            body=change_body,
        ),
        "change": operation(
            HTTPMethod.PATCH, {202: Answer(f"the {noun} was changed")}, path=key, body=change_body
        ),
        "delete": operation(HTTPMethod.DELETE, {204: Answer(f"the {noun} was deleted")}, path=key),
    }


def _list(resource: Resource, request: HttpRequest) -> HttpResponse:
    asked = Page.requested(request.GET)
    searched = [(key, text) for key, texts in request.GET.lists() for text in texts]
    found = resource.queryset().filter(reduce(and_, conditions(resource, searched), Q()))
    if any("__" in key for key, _ in searched):
        # A relation to many may match an object several times.
        found = found.distinct()
    try:
        total = found.count()
    except DataError as error:
        # PostgreSQL refuses some patterns that RE2 knows, such as a group with a name.
        problem = f"the database refuses a value: {str(error).splitlines()[0]}"
        raise InvalidInput(f"search in {resource.name}", [problem]) from None
    answering = Answering(request)
    rows = found[asked.offset : asked.offset + asked.limit]
    objects = [resource.dump(one, answering) for one in rows]
    return JsonResponse({"meta": asked.meta(request, total), "objects": objects})


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
