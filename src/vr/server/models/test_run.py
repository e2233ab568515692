"""Rounds of uptests: of a dispatch, or scheduled over all procs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from vr.server.models.dispatch import Dispatch


class TestRun(models.Model):
    """One round of uptests: part of a dispatch, asked for by a user, or scheduled.

    A scheduled one has `until`, when the next of them begins.
    """

    __test__ = False
    dispatch = models.ForeignKey(
        Dispatch, null=True, blank=True, on_delete=models.CASCADE, related_name="testruns"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; nobody for one of a dispatch, or a scheduled one.",
    )
    start = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, blank=True, editable=False)
    end = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"test run {self.pk}"
