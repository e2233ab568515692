"""What operations refer to by name: documents, refusals, and the ways to sign in."""

from __future__ import annotations

from django.conf import settings

from vr.server.api.openapi.operations import REFUSALS, Part
from vr.server.resources import TABLE, dispatch, procs
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import (
    FLAG,
    INTEGER,
    PATH,
    TEXT,
    Schema,
    component,
    list_of,
    or_null,
    record,
)

PAGE_META = record(
    {
        "limit": INTEGER,
        "offset": INTEGER,
        "total_count": INTEGER,
        "previous": or_null(PATH),
        "next": or_null(PATH),
    }
)
ERROR = record(
    {
        "error": {**TEXT, "description": "what is wrong, in a sentence"},
        "problems": {**list_of(TEXT), "description": "all of it, each beginning with its field"},
        "status": INTEGER,
        "hint": {**TEXT, "description": "what to do next"},
        "details": {**TEXT, "description": "longer material, such as a program's output"},
        "fault": {**TEXT, "description": "what a host's Supervisor said"},
        "msg": {**TEXT, "description": "`error` again, for older clients"},
        "error_message": {**TEXT, "description": "`error` again, for older clients"},
    },
    optional={"hint", "details", "fault", "msg", "error_message"},
)
BALANCER = record({"name": TEXT, "backend": or_null(TEXT), "default": FLAG})

SECURITY_SCHEMES: Part = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, made at /admin/server/apitoken/add/.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "A user's name and password."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The browser's session; changes also need X-CSRFToken.",
    },
}


def shape_to_create(resource: Resource) -> str:
    """What the shape is called that creates an object."""
    return f"New{resource.component}"


def shape_to_change(resource: Resource) -> str:
    """What the shape is called that changes an object."""
    return f"{resource.component}Change"


def shape_of_page(of: str) -> str:
    """What the shape of a list's page is called."""
    return f"{of}Page"


def components() -> Part:
    """The `components` of the description."""
    schemas: dict[str, Schema] = {
        "Balancer": BALANCER,
        "Error": ERROR,
        "Heard": procs.HEARD,
        "PageMeta": PAGE_META,
        "Proc": procs.PROC,
        "ProcNow": procs.PROC_NOW,
        "Step": dispatch.STEP,
        shape_of_page("Balancer"): _page("Balancer"),
    }
    for resource in TABLE:
        schemas[resource.component] = {**resource.shown(), "description": resource.about}
        schemas[shape_of_page(resource.component)] = _page(resource.component)
        if not resource.read_only:
            schemas[shape_to_create(resource)] = resource.taken(new=True)
            schemas[shape_to_change(resource)] = resource.taken(new=False)
    content = {"application/json": {"schema": component("Error")}}
    refusals = {
        name: {"description": meaning, "content": content} for name, meaning in REFUSALS.values()
    }
    return {
        "schemas": dict(sorted(schemas.items())),
        "responses": dict(sorted(refusals.items())),
        "securitySchemes": SECURITY_SCHEMES,
    }


def _page(of: str) -> Schema:
    return record({"meta": component("PageMeta"), "objects": list_of(component(of))})
