"""Duties: what one worker does for all, again and again."""

from __future__ import annotations

from django.db import models

OPEN = ("open",)


class Duty(models.Model):
    """A duty that never ends; its lease tells which worker is at it."""

    name = models.CharField(max_length=50, primary_key=True)
    status = models.CharField(max_length=10, default=OPEN[0])
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name
