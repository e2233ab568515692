"""A resource: a model as the API shows it, finds it and lets it be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from vr.errors import InvalidInput
from vr.server.answers import NotFound
from vr.server.resources.fields import Answering, Field
from vr.server.resources.shapes import INTEGER, PATH, Schema, column, record
from vr.server.resources.validation import sentences

PREFIX = "/api/v1"
_SHOWN_CHOICES = 20


@dataclass(frozen=True)
class Through:
    """A relation, whose further search keys are those of the resource `to`."""

    to: str


# What may be searched for: the ORM's path of a field, or a relation to go through.
Filters = Mapping[str, str | Through]


@dataclass(frozen=True)
class Resource:
    """`name` in the address, `noun` in sentences, and a sentence `about` what it is.

    `key` is what detail addresses end in. `label` is a unique field that finds an object as well
    as its key does. `select` and `prefetch` are relations that a list reads at once.

    `prepare` may rewrite what is written before it is understood (ValueError: a sentence): it
    reads the read-only fields `prepare_reads`, and may set the fields `prepare_sets`. `finish` may
    complete the object before it is saved.
    """

    name: str
    noun: str
    about: str
    model: type[Model]
    fields: tuple[Field, ...]
    key: str = "id"
    label: str = ""
    filters: Filters = field(default_factory=dict)
    order: tuple[str, ...] = ("id",)
    select: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()
    read_only: bool = False
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = lambda data: data
    prepare_reads: tuple[str, ...] = ()
    prepare_sets: tuple[str, ...] = ()
    finish: Callable[[Any], None] = lambda _: None

    @property
    def path(self) -> str:
        return f"{PREFIX}/{self.name}/"

    @property
    def component(self) -> str:
        """What its document is called in the API's description: `LogEntry`."""
        return "".join(word.capitalize() for word in self.noun.split())

    @property
    def finds_by_name(self) -> bool:
        """Is there a name by which an object is found, beside its id?"""
        return bool(self._name_field)

    def uri(self, source: Any) -> str:
        return f"{self.path}{quote(str(getattr(source, self.key)), safe='')}/"

    def queryset(self) -> QuerySet[Any]:
        rows = self.model._default_manager.order_by(*self.order)
        return rows.select_related(*self.select).prefetch_related(*self.prefetch)

    def find(self, key: str, *, for_change: bool = False) -> Any:
        """The object by its key, or by its id; None if there is none.

        `for_change` locks its row until the transaction ends, so that no change is lost.
        """
        rows = self.queryset()
        if for_change:
            rows = rows.select_for_update(of=("self",))
        if "\0" in key:
            return None
        name = self._name_field
        found = rows.filter(**{name: key}).first() if name else None
        if found is None and key.isascii() and key.isdecimal() and int(key) < 2**63:
            found = rows.filter(pk=int(key)).first()
        return found

    def get(self, key: str, *, for_change: bool = False) -> Any:
        """As `find`, but raises NotFound naming those that exist."""
        found = self.find(key, for_change=for_change)
        if found is None:
            raise NotFound(f"There is no {self.noun} {key!r}.", hint=self.choices().capitalize())
        return found

    def choices(self) -> str:
        """The keys that exist, for the end of a sentence."""
        name = self._name_field
        if not name:
            return f"see {self.path}"
        keys = list(self.model._default_manager.values_list(name, flat=True).order_by(name))
        if not keys:
            return f"there are no {self.name} yet"
        more = f", … ({len(keys)} in all)" if len(keys) > _SHOWN_CHOICES else ""
        return f"{self.name}: {', '.join(map(str, keys[:_SHOWN_CHOICES]))}{more}"

    def dump(self, source: Any, answering: Answering) -> dict[str, Any]:
        """The JSON document of an object."""
        shown = {one.name: one.dump(source, answering) for one in self.fields}
        return {"id": source.pk, "resource_uri": self.uri(source), **shown}

    def shown(self) -> Schema:
        """The shape of the documents that `dump` makes."""
        fields = {one.name: self._helped(one, one.shown(self.model)) for one in self.fields}
        return record({"id": INTEGER, "resource_uri": PATH, **fields})

    def taken(self, *, new: bool) -> Schema:
        """The shape of what `write` takes, for a `new` object or for changing one."""
        fields = {
            one.name: self._helped(one, one.taken(self.model))
            for one in self.fields
            if one.writable or one.name in self.prepare_reads
        }
        needed = {one.name for one in self._writable if self._is_needed(one)} if new else set()
        return record(fields, optional=fields.keys() - needed)

    def write(self, target: Any, data: Mapping[str, Any]) -> None:
        """Set what `data` holds of the writable fields, check the whole object, and save it.

        Keys that are unknown or read-only are ignored, as documents are sent back whole.
        Raises InvalidInput with every problem of fields and model together.
        """
        stored = target.pk and getattr(target, "name", None)
        called = stored or getattr(target, self.key) or data.get(self.key) or ""
        where = f"{self.noun} {called}".strip()
        problems: list[str] = []
        try:
            data = self.prepare(dict(data))
        except ValueError as error:
            problems.append(str(error))
        unread: set[str] = set()
        later: list[tuple[Field, Any]] = []
        for one in self._writable:
            if one.name not in data:
                continue
            try:
                value = one.load(data[one.name])
            except ValueError as error:
                problems.append(f"{one.name}: {error}")
                unread.add(one.target)
                continue
            if one.after_save:
                later.append((one, value))
            else:
                one.store(target, value)
        try:
            target.full_clean(exclude=unread)
        except ValidationError as error:
            problems += sentences(error, target, {one.target: one.name for one in self._writable})
        if problems:
            raise InvalidInput(where, problems)
        with transaction.atomic():
            self.finish(target)
            target.save()
            for one, value in later:
                one.store(target, value)

    def _helped(self, one: Field, schema: Schema) -> Schema:
        """`schema` with what the model says of the field, unless it says more itself."""
        told = str(getattr(column(self.model, one.target), "help_text", ""))
        return {"description": told, **schema} if told and "$ref" not in schema else schema

    def _is_needed(self, one: Field) -> bool:
        source = column(self.model, one.target)
        if source is None or one.after_save or one.name in self.prepare_sets:
            return False
        return not (source.blank or source.null or source.has_default())

    @property
    def _name_field(self) -> str:
        return self.label or (self.key if self.key != "id" else "")

    @property
    def _writable(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.writable)
