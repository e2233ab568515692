"""JSON Schema's words for values and documents, as OpenAPI 3.1 has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.validators import (
    BaseValidator,
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db.models import Model

from vr.server.models.names import validate_part, validate_tag
from vr.specs.names import PART

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object", "additionalProperties": True}
NULL: Schema = {"type": "null"}
# RFC 3339's `date-time` has a zone; these times are in UTC, and say so only here.
MOMENT: Schema = {
    "type": "string",
    "format": "date-time-local",
    "description": "ISO 8601 in UTC, without a zone",
}
ZONED_MOMENT: Schema = {"type": "string", "format": "date-time"}
PATH: Schema = {"type": "string", "format": "uri-reference"}

INTEGER_LIMIT = 2**31
"""Whole numbers lie below this, and not below its negative."""


def or_null(schema: Schema) -> Schema:
    """What `schema` describes, or null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, NULL]}


def any_of(*schemas: Schema, description: str = "") -> Schema:
    """One of several shapes."""
    found: Schema = {"anyOf": list(schemas)}
    return found | {"description": description} if description else found


def list_of(schema: Schema, **limits: int) -> Schema:
    """An array; `limits` are its minItems and maxItems."""
    return {"type": "array", "items": schema, **limits}


def record(properties: Mapping[str, Schema], *, optional: Collection[str] = ()) -> Schema:
    """An object that has all of `properties`, but for the `optional` ones."""
    required = [name for name in properties if name not in optional]
    found: Schema = {"type": "object", "properties": dict(properties)}
    return found | {"required": required} if required else found


def component(name: str) -> Schema:
    """The shape that stands under `name` among the description's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def column(model: type[Model], attribute: str) -> Any:
    """The model's field of that name; None for what is computed from others."""
    try:
        return model._meta.get_field(attribute)
    except FieldDoesNotExist:
        return None


def text_of(source: Any) -> Schema:
    """What may be written into a column of text: its choices, or its length and pattern."""
    if source is None:
        return TEXT
    if source.choices:
        return {"type": "string", "enum": [value for value, _ in source.choices]}
    found = dict(TEXT)
    if not source.blank:
        found["minLength"] = 1
    if source.max_length:
        found["maxLength"] = source.max_length
    for validator in source.validators:
        pattern = _pattern(validator)
        if pattern and "pattern" not in found:
            found["pattern"] = pattern
    return found


def integer_of(source: Any) -> Schema:
    """What may be written into a column of whole numbers: its range."""
    least, most = -INTEGER_LIMIT, INTEGER_LIMIT - 1
    for validator in getattr(source, "validators", ()):
        if isinstance(validator, MinValueValidator):
            least = max(least, _limit(validator))
        elif isinstance(validator, MaxValueValidator):
            most = min(most, _limit(validator))
    return {"type": "integer", "minimum": least, "maximum": most}


def _pattern(validator: Any) -> str | None:
    """A validator's pattern, None if it has none."""
    if validator in (validate_part, validate_tag):
        return f"^{PART}$"
    if not isinstance(validator, RegexValidator):
        return None
    if validator.inverse_match or validator.flags:
        return None
    # JSON Schema's patterns are those of JavaScript, where $ is nothing but the end.
    regex: Any = validator.regex
    return str(regex.pattern).replace(r"\A", "^").replace(r"\Z", "$")


def _limit(validator: BaseValidator) -> int:
    limit: Any = validator.limit_value
    return int(limit() if callable(limit) else limit)
