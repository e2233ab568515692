"""Fields for text that users write as YAML, checked on the way in and encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

import yaml
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

_INT_LIMIT = 2**31
_PREFIX = "fernet:"


@lru_cache(maxsize=4)
def _fernet(secret: str) -> Fernet:
    key = hashlib.sha256(b"velociraptor config\0" + secret.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class EncryptedTextField(models.TextField):
    """Text that the database sees only encrypted, with a key derived from SECRET_KEY."""

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        token = _fernet(settings.SECRET_KEY).encrypt(str(value).encode())
        return _PREFIX + token.decode()

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if not value or not value.startswith(_PREFIX):
            return value
        try:
            return _fernet(settings.SECRET_KEY).decrypt(value[len(_PREFIX) :].encode()).decode()
        except InvalidToken:
            raise ValidationError(
                "Stored config can't be decrypted: VR_SECRET_KEY is not the one it was saved with."
            ) from None


def parse_mapping(text: str | None) -> dict[str, Any]:
    """The mapping that a YAML text holds; empty text is an empty mapping.

    Raises ValidationError for anything that is not a mapping, or that would not survive
    Supervisor's XML-RPC (docs/reference/release.md#config: string keys, 32-bit integers, no dates).
    """
    data = _load(text)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ValidationError(
            f"is a {type(data).__name__}, but a YAML mapping (lines like 'KEY: value') is expected"
        )
    problems = list(_problems(data, ""))
    if problems:
        raise ValidationError(problems)
    return data


def parse_volumes(text: str | None) -> list[list[str]]:
    """The `[host folder, mount point]` pairs that a YAML text holds."""
    data = _load(text)
    if data is None:
        return []
    if not isinstance(data, list) or not all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(path, str) and path.startswith("/") for path in pair)
        for pair in data
    ):
        raise ValidationError(
            "must be a YAML list of [host folder, mount point] pairs of absolute paths, "
            "such as '- [/var/data, /data]'"
        )
    return data


def _load(text: str | None) -> Any:
    try:
        return yaml.safe_load(text or "")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "can't be read"
        raise ValidationError(f"is not YAML{where}: {problem}") from None


def _problems(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"key {key!r}{f' in {path}' if path else ''} is not text; quote it"
            else:
                yield from _problems(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _problems(inner, f"{path}[{index}]")
    elif isinstance(value, bool | str | float) or value is None:
        return
    elif isinstance(value, int):
        if not -_INT_LIMIT <= value < _INT_LIMIT:
            yield f"{path}: int exceeds XML-RPC limits; quote it to make it text"
    else:
        yield f"{path}: is a {type(value).__name__}; quote it to make it text"


def validate_mapping(text: str) -> None:
    parse_mapping(text)


def validate_volumes(text: str) -> None:
    parse_volumes(text)


def yaml_field(help_text: str) -> EncryptedTextField:
    """A field for a YAML mapping."""
    return EncryptedTextField(
        blank=True, default="", validators=[validate_mapping], help_text=help_text
    )
