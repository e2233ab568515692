"""User ids of apps: each app's procs run as one of their own on every host."""

from __future__ import annotations

from django.db import models

from vr.server.models.app import App


class AppUid(models.Model):
    """A user id and the app that has it.

    The row outlives its app: files that an app left on hosts must not become another's.
    """

    uid = models.PositiveIntegerField(primary_key=True)
    app = models.OneToOneField(
        App, null=True, blank=True, on_delete=models.SET_NULL, related_name="own_uid"
    )

    def __str__(self) -> str:
        return f"{self.uid} {self.app or 'of an app that is gone'}"
