"""Rounds of uptests: of a dispatch, or scheduled over all procs."""

from __future__ import annotations

from django.db import models

from vr.server.models.dispatch import Dispatch


class TestRun(models.Model):
    """One round of uptests; part of a dispatch, or scheduled."""

    __test__ = False
    dispatch = models.ForeignKey(
        Dispatch, null=True, blank=True, on_delete=models.CASCADE, related_name="testruns"
    )
    start = models.DateTimeField(auto_now_add=True)
    end = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"test run {self.pk}"
