"""YAML documents as typed structs, with every problem of a file found at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vr.errors import InvalidInput, VelociraptorError
from vr.specs.yaml_reader import BadYaml, read_yaml
from vr.specs.yaml_reader import Path as KeyPath

_T = TypeVar("_T", bound=msgspec.Struct)
_ENV: tuple[KeyPath, ...] = (("env",),)


def load_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in the file `path`.

    Raises InvalidInput if it is not readable as YAML or not a mapping, VelociraptorError if it
    can't be read at all.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise VelociraptorError(
            f"{path}: can't be read: {error.strerror}.", hint="Check the path."
        ) from error
    return parse_mapping(text, str(path))


def parse_mapping(
    text: bytes | str, where: str, *, as_typed: Iterable[KeyPath] = _ENV
) -> dict[str, Any]:
    """The YAML mapping in `text`; raises InvalidInput naming `where`.

    What is below the keys of `as_typed` stays as it was typed, as vr.specs.yaml_reader says.
    """
    try:
        document = read_yaml(text, as_typed=as_typed)
    except BadYaml as error:
        raise InvalidInput(where, [f"is not valid YAML: {error}"]) from error
    if not isinstance(document, dict):
        found = "empty" if document is None else f"a {type(document).__name__}"
        raise InvalidInput(
            where,
            [f"must be a mapping of keys to values, but is {found}"],
            hint="Write one `key: value` per line.",
        )
    return {str(key): value for key, value in document.items()}


def to_struct(
    cls: type[_T], mapping: Mapping[str, Any], where: str, *, extra: list[str] | None = None
) -> _T:
    """`mapping` as a `cls`; keys that `cls` does not know are ignored, null means absent.

    Raises InvalidInput with every wrong and every missing key, and the problems in `extra`, which
    callers collect by rules that types can't state.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in msgspec.structs.fields(cls):
        value = mapping.get(field.encode_name)
        if value is None:
            if field.required:
                problems.append(f"{field.encode_name}: is missing")
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            problems.append(f"{field.encode_name}: {_explain(error, field.type, value)}")
    problems += extra or []
    if problems:
        raise InvalidInput(where, problems)
    return cls(**values)


def _explain(error: msgspec.ValidationError, expected: Any, value: Any) -> str:
    if _wants_text(expected) and isinstance(value, int | float):
        return f"must be a string, but YAML reads {value!r} as a number; put it in quotes"
    message = str(error)
    message = message[:1].lower() + message[1:]
    said, separator, at = message.rpartition(" - at `$")
    if separator and at.endswith("`"):
        message = f"{said} at {at[:-1]}"
    return message.replace("`", "")


def _wants_text(expected: Any) -> bool:
    return expected is str or str in getattr(expected, "__args__", ())
