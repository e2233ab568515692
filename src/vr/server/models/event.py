"""Events: what happened, for everybody to follow."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """One event of the stream; its id orders it and lets readers resume."""

    time = models.DateTimeField(auto_now_add=True)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list)
    trace_id = models.CharField(max_length=32, blank=True, default="", db_index=True)
    resource_uri = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title
