"""Images: operating systems that were built for a stack."""

from __future__ import annotations

from django.db import models

from vr.server.models.stack import Stack


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
