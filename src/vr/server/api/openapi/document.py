"""The whole description, made of what the routers know and what operations say of themselves."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from vr.server.api.openapi.components import SECURITY_SCHEMES, components
from vr.server.api.openapi.operations import Part
from vr.server.resources import TABLE
from vr.server.resources.resource import PREFIX

_OTHER_TAGS = {
    "balancers": "The balancers that the settings name.",
    "procs": "Procs under their hosts: looked at, started, stopped, deleted.",
    "root": "Where everything is.",
}


def description(api: NinjaAPI) -> Part:
    """The OpenAPI document of `api`, as JSON can hold it."""
    made = _Description(api, f"{PREFIX.strip('/')}/")
    tags = {one.name: one.about for one in TABLE} | _OTHER_TAGS
    return {
        **made,
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "tags": [{"name": name, "description": tags[name]} for name in sorted(tags)],
    }


class _Description(OpenAPISchema):
    """Ninja's walk over the routers; what it finds in signatures is not asked for."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        assert operation.operation_id and operation.openapi_extra, operation.path
        assert operation.operation_id not in self.all_operation_ids, operation.operation_id
        self.all_operation_ids.add(operation.operation_id)
        return {
            "operationId": operation.operation_id,
            "tags": operation.tags,
            "summary": operation.summary,
            "description": operation.description,
            **operation.openapi_extra,
        }

    def get_components(self) -> dict[str, Any]:
        return components()
