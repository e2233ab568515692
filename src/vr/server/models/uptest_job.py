"""Uptests that wait to be run outside of dispatches."""

from __future__ import annotations

from django.db import models

from vr.server.models.port_lease import PortLease
from vr.server.models.test_run import TestRun

OPEN = ("waiting",)


class UptestJob(models.Model):
    """A proc that is to be uptested for a round; it goes when that is done, or with the proc."""

    port_lease = models.OneToOneField(
        PortLease, primary_key=True, on_delete=models.CASCADE, related_name="uptest_job"
    )
    testrun = models.ForeignKey(TestRun, on_delete=models.CASCADE, related_name="jobs")
    status = models.CharField(max_length=10, default=OPEN[0])
    is_asked = models.BooleanField(default=False, help_text="A user waits for it.")
    created = models.DateTimeField(auto_now_add=True)
    # When a worker was last told of it.
    handed = models.DateTimeField(null=True, blank=True)
    # The worker that is at it, and until when it is believed to be alive.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"uptests of {self.port_lease}"
