"""A list's search keys as typed parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import BooleanField, DateTimeField, IntegerField

from vr.server import patterns
from vr.server.api.filters import TEXT_LOOKUPS
from vr.server.api.openapi.operations import Part
from vr.server.api.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from vr.server.resources import resource_named
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import FLAG, TEXT, ZONED_MOMENT, Schema

_ID: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
_DEEPEST = 3
"""How many relations are gone through here; the API goes through any number."""


def search_parameters(resource: Resource) -> list[Part]:
    """`limit`, `offset`, and the search keys of a list.

    Fields of the resource itself are listed with all of their lookups, those of related ones as
    they stand: `app__name`, to which the same lookups may be added.
    """
    page = {"type": "integer", "minimum": 0}
    return [
        _parameter(
            "limit",
            {**page, "default": DEFAULT_LIMIT},
            f"objects of a page; 0, or more than {LARGEST_LIMIT}, means {LARGEST_LIMIT}",
        ),
        _parameter("offset", {**page, "default": 0}, "how many objects come before the page"),
        *_keys(resource),
    ]


def _keys(resource: Resource) -> Iterator[Part]:
    for key, allowed in resource.filters.items():
        if isinstance(allowed, str):
            yield from _own(key, resource.model._meta.get_field(allowed))
            continue
        related = resource_named(allowed.to)
        yield _parameter(key, _ID, f"the {related.noun}'s id")
        yield _listed(f"{key}__in", _ID, f"one of these ids of {related.name}")
        yield _parameter(f"{key}__isnull", FLAG, f"is there no {related.noun}?")
        yield from _through(f"{key}__", related, 1)


def _through(prefix: str, resource: Resource, depth: int) -> Iterator[Part]:
    for key, allowed in resource.filters.items():
        if isinstance(allowed, str):
            column = resource.model._meta.get_field(allowed)
            yield _parameter(f"{prefix}{key}", _value(column), f"the {resource.noun}'s {key}")
        elif depth < _DEEPEST:
            yield from _through(f"{prefix}{key}__", resource_named(allowed.to), depth + 1)


def _own(key: str, column: Any) -> Iterator[Part]:
    value = _value(column)
    yield _parameter(key, value, "is this")
    if isinstance(column, BooleanField):
        return
    yield _listed(f"{key}__in", value, "is one of these")
    if isinstance(column, IntegerField | DateTimeField):
        for lookup, told in _ORDERED.items():
            yield _parameter(f"{key}__{lookup}", value, told)
        yield _listed(f"{key}__range", value, "lies between these two", minItems=2, maxItems=2)
    else:
        for lookup in sorted(TEXT_LOOKUPS):
            limit = {"maxLength": patterns.LONGEST} if lookup == "regex" else {}
            yield _parameter(f"{key}__{lookup}", {**TEXT, **limit}, _TEXTUAL[lookup])


_ORDERED = {
    "gt": "is greater than this",
    "gte": "is this or greater",
    "lt": "is less than this",
    "lte": "is this or less",
}
_TEXTUAL = {
    "contains": "contains this",
    "endswith": "ends with this",
    "icontains": "contains this, in any case",
    "iexact": "is this, in any case",
    "regex": "matches this regular expression of RE2 somewhere",
    "startswith": "begins with this",
}


def _value(column: Any) -> Schema:
    if column.choices:
        return {"type": "string", "enum": [value for value, _ in column.choices]}
    if isinstance(column, BooleanField):
        return FLAG
    if isinstance(column, IntegerField):
        return _ID
    return ZONED_MOMENT if isinstance(column, DateTimeField) else TEXT


def _parameter(name: str, schema: Schema, told: str) -> Part:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": told}


def _listed(name: str, schema: Schema, told: str, **limits: int) -> Part:
    """A parameter of several values, separated by commas."""
    values = {"type": "array", "items": schema, **limits}
    return {**_parameter(name, values, told), "style": "form", "explode": False}
