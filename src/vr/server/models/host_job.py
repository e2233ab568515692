"""What is done to a host as a whole: it is prepared, upgraded, checked, removed."""

from __future__ import annotations

from django.db import models

from vr.server.models.fields import EncryptedTextField
from vr.server.models.host import Host


class HostJobKind(models.TextChoices):
    PREPARE = "prepare"
    CHECK = "check"
    REMOVE = "remove"


class HostJobStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN = (HostJobStatus.QUEUED, HostJobStatus.RUNNING)


class HostJob(models.Model):
    """One piece of work on a host, with what it said as it went. It outlives its host."""

    host = models.ForeignKey(Host, null=True, on_delete=models.SET_NULL, related_name="jobs")
    name = models.CharField(max_length=200, help_text="What the host was called.")
    kind = models.CharField(max_length=10, choices=HostJobKind.choices)
    status = models.CharField(
        max_length=10, choices=HostJobStatus.choices, default=HostJobStatus.QUEUED
    )
    passwords = EncryptedTextField(
        blank=True, default="", help_text="JSON of what signs in this once; gone with its end."
    )
    steps = models.JSONField(default=list, help_text="Pairs of time and what began then.")
    activates = models.BooleanField(
        default=False, help_text="The host gets procs once this has succeeded."
    )
    error = models.TextField(blank=True, default="")
    output = models.TextField(blank=True, default="", help_text="What the failed step said.")
    asked = models.DateTimeField(auto_now_add=True)
    ended = models.DateTimeField(null=True)
    # Who does it now, and until when that is believed.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["host"],
                condition=models.Q(status__in=["queued", "running"]),
                name="one_open_job_of_a_host",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN
