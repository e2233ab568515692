"""Search keys of lists, `field`, `field__lookup` and `relation__field` (api-v1.md 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import (
    EmptyResultSet,
    FieldError,
    FullResultSet,
    ValidationError,
)
from django.db.models import Q

from vr.errors import InvalidInput

if TYPE_CHECKING:
    from vr.server.api.resource import Resource

_TEXT_LOOKUPS = {"iexact", "contains", "icontains", "startswith", "endswith", "regex"}
LOOKUPS = frozenset({"exact", "gt", "gte", "lt", "lte", "in", "range", "isnull"} | _TEXT_LOOKUPS)
_LONGEST_INTEGER = 18
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Through:
    """A relation, whose further keys are those of the related resource's own table."""

    resource: Callable[[], Resource]


# What may be asked for: the ORM's path of a field, or a relation to go through.
Filters = Mapping[str, "str | Through"]


def conditions(resource: Resource, query: Iterable[tuple[str, str]]) -> list[Q]:
    """One condition per search key of `query`; unknown keys are ignored.

    Raises InvalidInput for known fields that may not be searched, and for values that a lookup
    can't use. An empty value for a field that is never empty means no condition, as the
    published client sends `app__name=` for 'all' (rulings.md, 16).
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
    path, lookup, may_be_empty = _resolve(resource, parts)
    if "\0" in text:
        raise ValueError("contains a NUL character")
    if not text and lookup == "exact" and not may_be_empty:
        return None
    try:
        condition = Q(**{f"{path}__{lookup}": _value(lookup, text)})
        # Asking for the SQL makes Django convert the value now, not while rows are read.
        with suppress(EmptyResultSet, FullResultSet):
            str(resource.model._default_manager.filter(condition).query)
    except (FieldError, ValidationError, ValueError, TypeError, KeyError, re.error):
        raise ValueError(f"{text!r} is no value that {lookup!r} can compare it with") from None
    return condition


def _resolve(resource: Resource, parts: list[str]) -> tuple[str, str, bool]:
    """ORM path, lookup, and whether the field may hold the empty text."""
    path: list[str] = []
    while True:
        head, *rest = parts
        allowed = resource.filters.get(head)
        if allowed is None:
            known = ", ".join(sorted(resource.filters)) or "nothing"
            raise ValueError(f"{resource.name} can't be searched by it, only by {known}")
        if isinstance(allowed, str):
            path.append(allowed)
            field = resource.model._meta.get_field(allowed)
            return "__".join(path), _lookup(rest), bool(getattr(field, "blank", False))
        path.append(head)
        if not rest or (len(rest) == 1 and rest[0] in {"exact", "in", "isnull"}):
            return "__".join(path), _lookup(rest), False
        resource, parts = allowed.resource(), rest


def _lookup(rest: list[str]) -> str:
    lookup = "__".join(rest) or "exact"
    if lookup not in LOOKUPS:
        raise ValueError(f"{lookup!r} is no lookup; there are {', '.join(sorted(LOOKUPS))}")
    return lookup


def _value(lookup: str, text: str) -> Any:
    match lookup:
        case "in" | "range":
            values = text.split(",")
            if lookup == "range" and len(values) != 2:
                raise ValueError("a range needs two ends")
            if any(len(value) > _LONGEST_INTEGER and value.isdecimal() for value in values):
                raise ValueError("the database knows no integers of that size")
            return values
        case "isnull":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        case "regex":
            re.compile(text)
    if lookup == "exact":
        return _WORDS.get(text.lower(), text)
    return text
