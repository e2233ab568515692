"""Kinds of fields: how a value is shown in JSON, and how one from outside is understood.

A field's `dump` makes JSON of a model's attribute. Its `load` makes the attribute of JSON, and
raises ValueError with a sentence for what it can't be; whether the value is allowed is for the
model's own validation. `shown` and `taken` describe both for programs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml
from django.db.models import Model
from django.http import HttpRequest

from vr.server.files import links
from vr.server.models.fields import Undecryptable
from vr.server.models.yaml_text import parse_volumes
from vr.server.resources.shapes import (
    FLAG,
    INTEGER,
    INTEGER_LIMIT,
    MOMENT,
    NULL,
    NUMBER,
    OBJECT,
    TEXT,
    Schema,
    any_of,
    column,
    integer_of,
    list_of,
    or_null,
    text_of,
)

_PAIRS = list_of(list_of(TEXT, minItems=2, maxItems=2))


@dataclass
class Answering:
    """What a field may need besides the object: the request, and what was read for it once."""

    request: HttpRequest
    remembered: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field `name` of the API, kept in `attribute` of the model."""

    name: str
    attribute: str = ""
    writable: bool = True
    # Set after the object has been saved, as a relation to many is.
    after_save = False

    @property
    def target(self) -> str:
        return self.attribute or self.name

    def shown(self, model: type[Model]) -> Schema:
        """The shape of what `dump` makes of one of `model`."""
        return TEXT

    def taken(self, model: type[Model]) -> Schema:
        """The shape of what `load` takes for one of `model`, if the field is writable."""
        return self.shown(model)

    def dump(self, source: Any, answering: Answering) -> Any:
        return getattr(source, self.target)

    def load(self, value: Any) -> Any:
        return value

    def store(self, target: Any, value: Any) -> None:
        setattr(target, self.target, value)


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Text; `nullable` ones show the empty text as null."""

    nullable: bool = False

    def shown(self, model: type[Model]) -> Schema:
        choices = getattr(column(model, self.target), "choices", None)
        found = text_of(column(model, self.target)) if choices else TEXT
        return or_null(found) if self.nullable else found

    def taken(self, model: type[Model]) -> Schema:
        source = column(model, self.target)
        found = text_of(source)
        return or_null(found) if source is None or source.blank else found

    def dump(self, source: Any, answering: Answering) -> Any:
        value = getattr(source, self.target)
        return None if self.nullable and not value else value

    def load(self, value: Any) -> Any:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"is {kind_of(value)}, but text is expected")
        if "\0" in value:
            raise ValueError("contains a NUL character")
        return value


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    def shown(self, model: type[Model]) -> Schema:
        return INTEGER

    def taken(self, model: type[Model]) -> Schema:
        return integer_of(column(model, self.target))

    def load(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"is {kind_of(value)}, but a whole number is expected")
        if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
            raise ValueError(f"is {value}, which is too large a number")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number that need not be set: null then. A `whole` one has no fraction."""

    whole: bool = False

    def shown(self, model: type[Model]) -> Schema:
        return or_null(INTEGER if self.whole else NUMBER)

    def taken(self, model: type[Model]) -> Schema:
        return or_null(integer_of(column(model, self.target)) if self.whole else NUMBER)

    def load(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"is {kind_of(value)}, but a number is expected")
        if not -INTEGER_LIMIT <= value < INTEGER_LIMIT:
            raise ValueError(f"is {value}, which is no number that can be kept")
        if not self.whole:
            return float(value)
        if value != int(value):
            raise ValueError(f"is {value}, but a whole number is expected")
        return int(value)


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    def shown(self, model: type[Model]) -> Schema:
        return FLAG

    def load(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError(f"is {kind_of(value)}, but true or false is expected")
        return value


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A time: ISO 8601 in UTC without zone, as the original wrote it."""

    writable: bool = False

    def shown(self, model: type[Model]) -> Schema:
        source = column(model, self.target)
        return or_null(MOMENT) if source is None or source.null else MOMENT

    def dump(self, source: Any, answering: Answering) -> Any:
        value: datetime | None = getattr(source, self.target)
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() if value else None


@dataclass(frozen=True, kw_only=True)
class Mapping(Field):
    """YAML text of a mapping; a JSON object is taken too. Empty is shown as an empty mapping."""

    def shown(self, model: type[Model]) -> Schema:
        return {**TEXT, "description": "YAML text of a mapping"}

    def taken(self, model: type[Model]) -> Schema:
        return any_of(TEXT, OBJECT, NULL, description="YAML text of a mapping, or the mapping")

    def dump(self, source: Any, answering: Answering) -> Any:
        return getattr(source, self.target) or "{}\n"

    def load(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, dict):
            return yaml_text(value) if value else ""
        if not isinstance(value, str):
            raise ValueError(f"is {kind_of(value)}, but YAML text or an object is expected")
        # An empty mapping is stored as nothing, so that reading and writing back changes nothing.
        return "" if value.strip() == "{}" else value


@dataclass(frozen=True, kw_only=True)
class Volumes(Field):
    """Pairs of host folder and mount point, null if there are none; kept as YAML text."""

    def shown(self, model: type[Model]) -> Schema:
        return or_null(_PAIRS)

    def taken(self, model: type[Model]) -> Schema:
        return any_of(_PAIRS, TEXT, NULL, description="pairs, or YAML text of them")

    def dump(self, source: Any, answering: Answering) -> Any:
        text = getattr(source, self.target)
        # A pair that says so, and that no host would take, keeps the list of the others readable.
        return [[str(text), ""]] if isinstance(text, Undecryptable) else parse_volumes(text) or None

    def load(self, value: Any) -> Any:
        if value is not None and not isinstance(value, str | list):
            raise ValueError(f"is {kind_of(value)}, but a list of pairs is expected")
        return value if isinstance(value, str) else yaml_text(value) if value else ""


@dataclass(frozen=True, kw_only=True)
class StoredFile(Field):
    """A file of the store, shown as a signed link for downloading."""

    writable: bool = False

    def shown(self, model: type[Model]) -> Schema:
        return or_null({"type": "string", "format": "uri"})

    def dump(self, source: Any, answering: Answering) -> Any:
        name = getattr(source, self.target)
        return answering.request.build_absolute_uri(links.link(name)) if name else None


@dataclass(frozen=True, kw_only=True)
class Computed(Field):
    """What a function makes of the object; never written."""

    value: Callable[[Any, Answering], Any]
    writable: bool = False
    schema: Schema = field(default_factory=lambda: TEXT)

    def shown(self, model: type[Model]) -> Schema:
        return self.schema

    def dump(self, source: Any, answering: Answering) -> Any:
        return self.value(source, answering)


def yaml_text(value: Any) -> str:
    """Block-style YAML, in the order given."""
    return yaml.safe_dump(value, default_flow_style=False, sort_keys=False, allow_unicode=True)


def kind_of(value: Any) -> str:
    """What JSON calls a value, and the value if it is a short one: 'a number (7)'."""
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number"}
    names |= {str: "text", list: "a list", dict: "an object"}
    shown = f" ({value!r})" if isinstance(value, str | int | float) else ""
    return f"{names.get(type(value), type(value).__name__)}{shown}"
