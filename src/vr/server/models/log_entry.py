"""The log of what users did."""

from __future__ import annotations

from django.conf import settings
from django.db import models


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
