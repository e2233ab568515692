"""Fields that link to objects of other resources, and understanding what means such an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db.models import Model

from vr.server.resources.fields import Answering, Field, kind_of
from vr.server.resources.registry import Linked, named
from vr.server.resources.shapes import (
    OBJECT,
    PATH,
    TEXT,
    Schema,
    any_of,
    column,
    component,
    list_of,
    or_null,
)


@dataclass(frozen=True, kw_only=True)
class Link(Field):
    """One related object of the resource `to`, as its path, or as a `full` document.

    Names and ids are taken too.
    """

    to: str
    full: bool = False

    def shown(self, model: type[Model]) -> Schema:
        related = component(named(self.to).component) if self.full else PATH
        source = column(model, self.target)
        return or_null(related) if source is None or source.null else related

    def taken(self, model: type[Model]) -> Schema:
        source = column(model, self.target)
        found = _reference(named(self.to))
        return or_null(found) if source is not None and source.null else found

    def dump(self, source: Any, answering: Answering) -> Any:
        related = getattr(source, self.target)
        if related is None:
            return None
        resource = named(self.to)
        return resource.dump(related, answering) if self.full else resource.uri(related)

    def load(self, value: Any) -> Any:
        return None if value is None or value == "" else find_linked(named(self.to), value)


@dataclass(frozen=True, kw_only=True)
class Links(Field):
    """Many related objects of the resource `to`, as paths, or as `full` documents."""

    to: str
    full: bool = False
    after_save = True

    def shown(self, model: type[Model]) -> Schema:
        return list_of(component(named(self.to).component) if self.full else PATH)

    def taken(self, model: type[Model]) -> Schema:
        reference = _reference(named(self.to))
        return list_of(any_of(reference, OBJECT) if self.full else reference)

    def dump(self, source: Any, answering: Answering) -> Any:
        resource = named(self.to)
        related = getattr(source, self.target).all()
        if self.full:
            return [resource.dump(one, answering) for one in related]
        return [resource.uri(one) for one in related]

    def load(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"is {kind_of(value)}, but a list is expected")
        return [find_linked(named(self.to), one) for one in value]

    def store(self, target: Any, value: Any) -> None:
        getattr(target, self.target).set(value)


def find_linked(resource: Linked, value: Any) -> Any:
    """The object that a path, a name, an id or a whole document means.

    Raises ValueError naming those that exist.
    """
    if isinstance(value, dict):
        value = value.get("resource_uri") or value.get(resource.key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"is {kind_of(value)}, but a path like {resource.path}… is expected")
    key = str(value)
    path = urlsplit(key).path
    if path.startswith(resource.path):
        key = unquote(path.removeprefix(resource.path).strip("/"))
    found = resource.find(key)
    if found is None:
        raise ValueError(f"there is no {resource.noun} {key!r}; {resource.choices()}")
    return found


def _reference(resource: Linked) -> Schema:
    example = f"{resource.path}<{resource.key}>/"
    return {**TEXT, "description": f"its path, such as {example}, or its name or id alone"}
