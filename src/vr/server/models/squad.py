"""Squads: groups of hosts."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models


class Squad(models.Model):
    """A pool of identically provisioned hosts."""

    name = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+\Z", "use letters, digits, '_', '.', '-'")],
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
