"""Squads: groups of hosts."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models


class Squad(models.Model):
    """A pool of identically provisioned hosts."""

    name = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+\Z", "use letters, digits, '_', '.', '-'")],
    )

    rescue_after = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(30), MaxValueValidator(7 * 86400)],
        help_text="After how many seconds of a host's silence its procs are placed on others. "
        "Empty: only when somebody asks for it.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
