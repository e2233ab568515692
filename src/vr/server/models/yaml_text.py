"""YAML that users write: how it is read, and what is said of text that can't be.

Reading asks for the shape only, so that what was stored before a rule still shows; whether
values are allowed is asked when they are written.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from vr.server.models.fields import Undecryptable
from vr.specs.config import config_problems, plain_problems
from vr.specs.env import env_problems
from vr.specs.volumes import kept_folder_problems, volume_problems
from vr.specs.yaml_reader import BadYaml, read_yaml


def parse_mapping(text: str | None) -> dict[str, Any]:
    """The mapping that a YAML text holds; empty text is an empty mapping.

    Raises ValidationError for anything that is not a mapping, or that would not survive
    Supervisor's XML-RPC (docs/reference/release.md#config).
    """
    data = _mapping(text)
    _refuse(plain_problems(data))
    return data


def parse_env(text: str | None) -> dict[str, Any]:
    """The environment that a YAML text holds: values as they were typed, None for null.

    Raises ValidationError as `parse_mapping` does.
    """
    env = _mapping(text, as_typed=True)
    _refuse(plain_problems(env))
    return env


def parse_volumes(text: str | None) -> list[list[str]]:
    """The `[host folder, mount point]` pairs that a YAML text holds; ValidationError if none."""
    data = _load(text)
    if data is None:
        return []
    if not isinstance(data, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(path, str) for path in pair)
        for pair in data
    ):
        raise ValidationError(
            "must be a YAML list of [host folder, mount point] pairs of absolute paths, "
            "such as '- [/var/data, /data]'"
        )
    return data


def validate_config(text: str | None) -> None:
    """Raises ValidationError with all that is wrong with an app's config."""
    _refuse(config_problems(_mapping(text)))


def validate_env(text: str | None) -> None:
    """Raises ValidationError with all that is wrong with the environment of a proc."""
    env = _mapping(text, as_typed=True)
    names = {name: value for name, value in env.items() if isinstance(name, str)}
    # Values that an environment can't hold are named once.
    plain = {name: value for name, value in names.items() if not isinstance(value, dict | list)}
    _refuse([*env_problems(env), *plain_problems(plain)])


def validate_volumes(text: str | None) -> None:
    """Raises ValidationError with all that is wrong with the volumes of a proc."""
    pairs = [(source, target) for source, target in parse_volumes(text)]
    _refuse([*volume_problems(pairs), *kept_folder_problems(pairs)])


def _mapping(text: str | None, *, as_typed: bool = False) -> dict[Any, Any]:
    data = _load(text, as_typed=as_typed)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValidationError(
            f"is a {type(data).__name__}, but a YAML mapping (lines like 'KEY: value') is expected"
        )
    return data


def _load(text: str | None, *, as_typed: bool = False) -> Any:
    if text is not None and str(text).strip() == Undecryptable.SENTENCE:
        raise ValidationError(Undecryptable.SENTENCE)
    try:
        return read_yaml(text or "", as_typed=[()] if as_typed else [])
    except BadYaml as error:
        raise ValidationError(f"can't be read as YAML: {error}") from None


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ValidationError(problems)
