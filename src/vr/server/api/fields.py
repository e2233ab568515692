"""Kinds of fields: how a value is shown in JSON, and how one from outside is understood.

A field's `dump` makes JSON of a model's attribute. Its `load` makes the attribute of JSON, and
raises ValueError with a sentence for what it can't be; whether the value is allowed is for the
model's own validation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml
from django.http import HttpRequest

from vr.server.files import store
from vr.server.models.yaml_text import parse_volumes

if TYPE_CHECKING:
    from vr.server.api.resource import Resource

PREFIX = "/api/v1"
Schema = dict[str, Any]


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

    @property
    def schema(self) -> Schema:
        return {"type": "string"}

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

    @property
    def schema(self) -> Schema:
        return {"type": "string", "nullable": self.nullable}

    def dump(self, source: Any, answering: Answering) -> Any:
        value = getattr(source, self.target)
        return None if self.nullable and not value else value

    def load(self, value: Any) -> Any:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"is {_kind(value)}, but text is expected")
        if "\0" in value:
            raise ValueError("contains a NUL character")
        return value


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    @property
    def schema(self) -> Schema:
        return {"type": "integer"}

    def load(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"is {_kind(value)}, but a whole number is expected")
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"is {value}, which is too large a number")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number that need not be set: null then. A `whole` one has no fraction."""

    whole: bool = False

    @property
    def schema(self) -> Schema:
        return {"type": "integer" if self.whole else "number", "nullable": True}

    def load(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"is {_kind(value)}, but a number is expected")
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"is {value}, which is no number that can be kept")
        if not self.whole:
            return float(value)
        if value != int(value):
            raise ValueError(f"is {value}, but a whole number is expected")
        return int(value)


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    @property
    def schema(self) -> Schema:
        return {"type": "boolean"}

    def load(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError(f"is {_kind(value)}, but true or false is expected")
        return value


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A time: ISO 8601 in UTC without zone, as the original wrote it."""

    writable: bool = False

    @property
    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time", "nullable": True}

    def dump(self, source: Any, answering: Answering) -> Any:
        value: datetime | None = getattr(source, self.target)
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() if value else None


@dataclass(frozen=True, kw_only=True)
class Mapping(Field):
    """YAML text of a mapping; a JSON object is taken too. Empty is shown as an empty mapping."""

    @property
    def schema(self) -> Schema:
        return {"oneOf": [{"type": "string"}, {"type": "object"}]}

    def dump(self, source: Any, answering: Answering) -> Any:
        return getattr(source, self.target) or "{}\n"

    def load(self, value: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, dict):
            return yaml_text(value) if value else ""
        if not isinstance(value, str):
            raise ValueError(f"is {_kind(value)}, but YAML text or an object is expected")
        # An empty mapping is stored as nothing, so that reading and writing back changes nothing.
        return "" if value.strip() == "{}" else value


@dataclass(frozen=True, kw_only=True)
class Volumes(Field):
    """Pairs of host folder and mount point, null if there are none; kept as YAML text."""

    @property
    def schema(self) -> Schema:
        pair = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}
        return {"type": "array", "items": pair, "nullable": True}

    def dump(self, source: Any, answering: Answering) -> Any:
        return parse_volumes(getattr(source, self.target)) or None

    def load(self, value: Any) -> Any:
        if value is not None and not isinstance(value, str | list):
            raise ValueError(f"is {_kind(value)}, but a list of pairs is expected")
        return value if isinstance(value, str) else yaml_text(value) if value else ""


@dataclass(frozen=True, kw_only=True)
class StoredFile(Field):
    """A file of the store, shown as a signed link for downloading."""

    writable: bool = False

    @property
    def schema(self) -> Schema:
        return {"type": "string", "format": "uri", "nullable": True}

    def dump(self, source: Any, answering: Answering) -> Any:
        name = getattr(source, self.target)
        return answering.request.build_absolute_uri(store.signed_path(name)) if name else None


@dataclass(frozen=True, kw_only=True)
class Computed(Field):
    """What a function makes of the object; never written."""

    value: Callable[[Any, Answering], Any]
    writable: bool = False
    shape: str = "string"

    @property
    def schema(self) -> Schema:
        return {"type": self.shape, "readOnly": True}

    def dump(self, source: Any, answering: Answering) -> Any:
        return self.value(source, answering)


@dataclass(frozen=True, kw_only=True)
class Link(Field):
    """One related object, as the path of its resource; names and ids are taken too."""

    to: Callable[[], Resource]

    @property
    def schema(self) -> Schema:
        return {"type": "string", "nullable": True, "description": f"{PREFIX}/{self.to().name}/…/"}

    def dump(self, source: Any, answering: Answering) -> Any:
        related = getattr(source, self.target)
        return self.to().uri(related) if related else None

    def load(self, value: Any) -> Any:
        return None if value is None or value == "" else find_linked(self.to(), value)


@dataclass(frozen=True, kw_only=True)
class Links(Field):
    """Many related objects, as paths, or as `full` objects."""

    to: Callable[[], Resource]
    full: bool = False
    after_save = True

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "object" if self.full else "string"}}

    def dump(self, source: Any, answering: Answering) -> Any:
        resource = self.to()
        related = getattr(source, self.target).all()
        if self.full:
            return [resource.dump(one, answering) for one in related]
        return [resource.uri(one) for one in related]

    def load(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"is {_kind(value)}, but a list is expected")
        return [find_linked(self.to(), one) for one in value]

    def store(self, target: Any, value: Any) -> None:
        getattr(target, self.target).set(value)


def find_linked(resource: Resource, value: Any) -> Any:
    """The object that a path, a name, an id or a whole document means.

    Raises ValueError naming those that exist.
    """
    if isinstance(value, dict):
        value = value.get("resource_uri") or value.get(resource.key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"is {_kind(value)}, but a path like {resource.path}… is expected")
    key = str(value)
    path = urlsplit(key).path
    if path.startswith(resource.path):
        key = unquote(path.removeprefix(resource.path).strip("/"))
    found = resource.find(key)
    if found is None:
        raise ValueError(f"there is no {resource.noun} {key!r}; {resource.choices()}")
    return found


def yaml_text(value: Any) -> str:
    """Block-style YAML, in the order given."""
    return yaml.safe_dump(value, default_flow_style=False, sort_keys=False, allow_unicode=True)


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number"}
    names |= {str: "text", list: "a list", dict: "an object"}
    shown = f" ({value!r})" if isinstance(value, str | int | float) else ""
    return f"{names.get(type(value), type(value).__name__)}{shown}"
