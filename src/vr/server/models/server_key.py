"""The key pair with which the server signs in on hosts."""

from __future__ import annotations

from django.db import models

from vr.server.models.fields import EncryptedTextField


class ServerKey(models.Model):
    """The one pair of this installation, in OpenSSH's formats; the private half is encrypted."""

    # One row: who makes a second one fails.
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    public = models.TextField()
    private = EncryptedTextField()

    def __str__(self) -> str:
        return "the server's key"
