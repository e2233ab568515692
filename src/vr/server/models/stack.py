"""Stacks: what apps build and run in."""

from __future__ import annotations

from typing import Any

from django.db import models

from vr.server.models.names import validate_part


class Stack(models.Model):
    """A base image and a script that provisions it: what apps build and run in."""

    name = models.CharField(max_length=50, unique=True, validators=[validate_part])
    desc = models.TextField(blank=True, default="")
    base_image_url = models.CharField(max_length=400, blank=True, default="")
    provisioning_script = models.TextField(blank=True, default="")
    heroku_stack = models.CharField(
        max_length=50,
        default="heroku-24",
        help_text="What buildpacks are told in STACK; some refuse names they don't know.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def active_image(self) -> Any:
        """The newest Image marked active, if any. (Images know their stack, not the reverse.)"""
        return self.images.filter(active=True).order_by("-id").first()
