"""Search keys of lists: `field__lookup`, `relation__field` (docs/reference/http-api.md#search)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import (
    EmptyResultSet,
    FieldError,
    FullResultSet,
    ValidationError,
)
from django.db.models import DateTimeField, IntegerField, Q

from vr.errors import InvalidInput
from vr.server import patterns
from vr.server.resources import resource_named
from vr.server.resources.resource import Resource

TEXT_LOOKUPS = {"iexact", "contains", "icontains", "startswith", "endswith", "regex"}
LOOKUPS = frozenset({"exact", "gt", "gte", "lt", "lte", "in", "range", "isnull"} | TEXT_LOOKUPS)
_LONGEST_INTEGER = 18
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


def conditions(resource: Resource, query: Iterable[tuple[str, str]]) -> list[Q]:
    """One condition per search key of `query`; unknown keys are ignored.

    Raises InvalidInput for known fields that may not be searched, and for values that a lookup
    can't use. An empty value for a field that is never empty means no condition, as the
    published client sends `app__name=` for 'all'.
    """
    problems: list[str] = []
    found: list[Q] = []
    for key, text in query:
        try:
            condition = _condition(resource, key, text)
        except ValueError as error:
            problems.append(f"{key}: {error}")
        else:
            if condition is not None:
                found.append(condition)
    if problems:
        raise InvalidInput(f"search in {resource.name}", problems)
    return found


def _condition(resource: Resource, key: str, text: str) -> Q | None:
    parts = key.split("__")
    if parts[0] not in {"id", *(one.name for one in resource.fields), *resource.filters}:
        return None
    path, lookup, field = _resolve(resource, parts)
    if "\0" in text:
        raise ValueError("contains a NUL character")
    if not text and lookup == "exact" and not getattr(field, "blank", False):
        return None
    try:
        condition = Q(**{f"{path}__{lookup}": _value(field, lookup, text)})
        # Asking for the SQL makes Django convert the value now, not while rows are read.
        with suppress(EmptyResultSet, FullResultSet):
            str(resource.model._default_manager.filter(condition).query)
    except (FieldError, ValidationError, ValueError, TypeError, KeyError):
        raise ValueError(f"{text!r} is no value that {lookup!r} can compare it with") from None
    return condition


def _resolve(resource: Resource, parts: list[str]) -> tuple[str, str, Any]:
    """ORM path, lookup, and the model's field; None for a relation, which compares by id."""
    path: list[str] = []
    while True:
        head, *rest = parts
        allowed = resource.filters.get(head)
        if allowed is None:
            known = ", ".join(sorted(resource.filters)) or "nothing"
            raise ValueError(f"{resource.name} can't be searched by it, only by {known}")
        if isinstance(allowed, str):
            path.append(allowed)
            return "__".join(path), _lookup(rest), resource.model._meta.get_field(allowed)
        path.append(head)
        if not rest or (len(rest) == 1 and rest[0] in {"exact", "in", "isnull"}):
            return "__".join(path), _lookup(rest), None
        resource, parts = resource_named(allowed.to), rest


def _lookup(rest: list[str]) -> str:
    lookup = "__".join(rest) or "exact"
    if lookup not in LOOKUPS:
        raise ValueError(f"{lookup!r} is no lookup; there are {', '.join(sorted(LOOKUPS))}")
    return lookup


def _value(field: Any, lookup: str, text: str) -> Any:
    if lookup == "isnull":
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    if lookup in TEXT_LOOKUPS:
        if lookup == "regex":
            patterns.compiled(text)
        return text
    if lookup in {"in", "range"}:
        ends = text.split(",")
        if lookup == "range" and len(ends) != 2:
            raise ValueError("a range needs two ends")
        return [_single(field, one) for one in ends]
    if lookup == "exact" and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return _single(field, text)


def _single(field: Any, text: str) -> Any:
    """One value as the field's column has it."""
    if field is None or isinstance(field, IntegerField):
        if len(text) > _LONGEST_INTEGER and text.isdecimal():
            raise ValueError("the database knows no integers of that size")
    elif isinstance(field, DateTimeField):
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text
