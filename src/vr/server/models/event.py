"""What happened: events for everybody to follow, and the log of what users did."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Event(models.Model):
    """One event of the stream; its id orders it and lets readers resume (api-v1.md 6)."""

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


class LogEntry(models.Model):
    """Who did what: `type` is the action (swarm, build, deploy, start, stop, …)."""

    type = models.CharField(max_length=50)
    time = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="actions"
    )
    message = models.TextField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "log entries"

    def __str__(self) -> str:
        return self.message
