"""Text that is encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

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
