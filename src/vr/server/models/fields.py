"""Text that is encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

_PREFIX = "fernet:"


@lru_cache(maxsize=4)
def _fernet(*secrets: str) -> MultiFernet:
    """Encrypts with the first secret, decrypts what any of them has encrypted."""
    keys = (
        hashlib.sha256(b"velociraptor config\0" + secret.encode()).digest() for secret in secrets
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def is_encrypted_now(stored: str) -> bool:
    """Whether what the database holds was encrypted with SECRET_KEY, not with a former key."""
    if not stored.startswith(_PREFIX):
        return False
    try:
        _fernet(settings.SECRET_KEY).decrypt(stored.removeprefix(_PREFIX))
    except InvalidToken:
        return False
    return True


class Undecryptable(str):
    """In the place of text that no key of ours decrypts: says so, to whoever reads it.

    It is no YAML mapping or list, so it is refused wherever config is wanted. `stored` is what
    the database has; saving the row leaves it as it is, for the day when the key is found.
    """

    SENTENCE = (
        "This stored config can't be decrypted, as neither VR_SECRET_KEY nor one of "
        "VR_SECRET_KEY_FALLBACKS is the key it was saved with."
    )
    stored: str

    def __new__(cls, stored: str) -> Undecryptable:
        made = super().__new__(cls, cls.SENTENCE)
        made.stored = stored
        return made


class EncryptedTextField(models.TextField):
    """Text that the database sees only encrypted, with a key derived from SECRET_KEY.

    What was encrypted with one of SECRET_KEY_FALLBACKS can still be read.
    """

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Undecryptable):
            return value.stored
        if not value:
            return value
        token = _fernet(settings.SECRET_KEY).encrypt(str(value).encode())
        return _PREFIX + token.decode()

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if not value or not value.startswith(_PREFIX):
            return value
        fernet = _fernet(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        try:
            return fernet.decrypt(value[len(_PREFIX) :].encode()).decode()
        except InvalidToken:
            return Undecryptable(value)
