"""Bodies of requests: JSON objects, whatever the content type says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db.models import Model
from django.http import HttpRequest

from vr.errors import InvalidInput
from vr.server.resources.fields import Field
from vr.server.resources.shapes import Schema, any_of, or_null, record

_WHERE = "request body"


@dataclass(frozen=True)
class Asked:
    """A key of an action's body; what it may hold is what `model` has in `field`, or `also`."""

    field: Field
    model: type[Model]
    required: bool = False
    also: str = ""


class ActionBody:
    """What an action is told: read and described from one list of keys."""

    def __init__(self, *asked: Asked) -> None:
        self._asked = asked

    @property
    def schema(self) -> Schema:
        """The shape of the body."""
        return record(
            {one.field.name: _shape(one) for one in self._asked},
            optional={one.field.name for one in self._asked if not one.required},
        )

    def read(self, request: HttpRequest, where: str) -> dict[str, Any]:
        """Every key's value, None for those that were not sent.

        Raises InvalidInput with all problems at once, in `where`.
        """
        data = json_object(request)
        values: dict[str, Any] = {}
        problems = []
        for one in self._asked:
            name, sent = one.field.name, data.get(one.field.name)
            try:
                values[name] = None if sent is None else one.field.load(sent)
            except ValueError as error:
                problems.append(f"{name}: {error}")
                continue
            if one.required and values[name] in (None, ""):
                problems.append(f"{name}: is missing")
        if problems:
            raise InvalidInput(where, problems)
        return values


def _shape(asked: Asked) -> Schema:
    found = asked.field.taken(asked.model)
    if asked.also:
        found = any_of(found, {"const": asked.also})
    return found if asked.required else or_null(found)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The object in the body; an empty body is an empty object.

    Raises InvalidInput if it is something else.
    """
    try:
        text = request.body.strip()
    except RequestDataTooBig:
        raise InvalidInput(_WHERE, ["is too large"]) from None
    if not text:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_WHERE, [f"is not JSON: {error}"]) from None
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # JSON can write one as \ud800; neither database nor file system can keep it.
        raise InvalidInput(_WHERE, ["holds half a character (a lone surrogate)"]) from None
    if not isinstance(data, dict):
        raise InvalidInput(_WHERE, [f"is a JSON {type(data).__name__}, but an object is expected"])
    return data
