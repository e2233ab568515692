"""Notices: what is to be sent to a notifier, and what became of it."""

from __future__ import annotations

from django.db import models

from vr.server.models.notifier import Notifier


class NoticeStatus(models.TextChoices):
    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Notice(models.Model):
    """One message to one notifier. It is sent at least once, or given up after some tries."""

    notifier = models.ForeignKey(Notifier, on_delete=models.CASCADE, related_name="notices")
    title = models.CharField(max_length=200)
    data = models.JSONField(help_text="The event as the stream has it.")
    is_bad = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False, help_text="Tried once.")
    status = models.CharField(
        max_length=10, choices=NoticeStatus.choices, default=NoticeStatus.WAITING
    )
    tries = models.PositiveIntegerField(default=0)
    due = models.DateTimeField(auto_now_add=True)
    error = models.TextField(blank=True, default="", help_text="Why it was not sent last time.")
    created = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "notifier", "due"], name="notices_to_send")]

    def __str__(self) -> str:
        return f"{self.title}: {self.status}" + (f" ({self.error})" if self.error else "")
