"""Events: what happened, for everybody to follow."""

from __future__ import annotations

from django.db import models


class Event(models.Model):
    """One event of the stream; its id orders it and lets readers resume.

    Ids become visible in their own order. SQLite has one writer at a time; on PostgreSQL a row
    gets its last id in the moment of its commit, by a trigger, one commit after another.
    """

    time = models.DateTimeField(auto_now_add=True)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True, default="")
    tags = models.JSONField(default=list)
    trace_id = models.CharField(max_length=32, blank=True, default="", db_index=True)
    resource_uri = models.CharField(max_length=200, blank=True, default="")
    # The id that it had before its commit, by which its writer finds it again (PostgreSQL).
    first_id = models.BigIntegerField(null=True, editable=False, db_index=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title
