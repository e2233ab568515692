"""Tokens with which programs use the API."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A bearer token; only its digest is stored, so it is shown once, when made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=50)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: object, name: str, token: str | None = None) -> str:
        """Store a token for `user` under `name`, replacing an older one; returns the token."""
        token = token or secrets.token_urlsafe(32)
        cls.objects.update_or_create(
            user=user, name=name, defaults={"digest": cls.digest_of(token)}
        )
        return token
