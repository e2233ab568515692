"""Stacks, and the OS images that are built for them."""

from __future__ import annotations

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
    def active_image(self) -> Image | None:
        """The newest image marked active."""
        return self.images.filter(active=True).order_by("-id").first()


class Image(models.Model):
    """A built OS image of a stack."""

    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="images")
    name = models.CharField(max_length=100, unique=True)
    file = models.CharField(max_length=400, blank=True, default="", help_text="In the file store.")
    md5 = models.CharField(max_length=32, blank=True, default="")
    active = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
