"""A dispatch: one run of a swarm towards its intent, kept in rows so that it can be resumed.

The engine plans from what it observes; these rows hold only what can't be observed: that the
run was asked for, by whom, which step it is at, and why it ended.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from vr.server.models.build import Build
from vr.server.models.fields import EncryptedTextField
from vr.server.models.names import validate_tag
from vr.server.models.release import Release
from vr.server.models.swarm import Swarm


def new_trace_id() -> str:
    """32 hex digits that follow a swarm through every task and event."""
    return secrets.token_hex(16)


class DispatchStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"  # deployed and tested; waits for somebody who routes or cancels it
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (DispatchStatus.QUEUED, DispatchStatus.RUNNING, DispatchStatus.HELD)
# Those of them that somebody carries on, or is to.
UNDER_WAY = (DispatchStatus.QUEUED, DispatchStatus.RUNNING)
ENDED = (DispatchStatus.SUCCEEDED, DispatchStatus.FAILED, DispatchStatus.CANCELLED)


class Dispatch(models.Model):
    """Bring a swarm to `tag` and `size`; at most one per swarm is open at a time."""

    trace_id = models.CharField(max_length=32, unique=True, default=new_trace_id)
    swarm = models.ForeignKey(Swarm, on_delete=models.CASCADE, related_name="dispatches")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    tag = models.CharField(max_length=50, validators=[validate_tag])
    size = models.PositiveIntegerField()
    # How it is to go, which its planner is told.
    hold = models.BooleanField(
        default=False, help_text="Is it to wait for somebody before it is routed?"
    )
    canary = models.PositiveIntegerField(
        default=0, help_text="How many new procs are routed beside the old ones first. 0: none."
    )
    canary_seconds = models.PositiveIntegerField(
        default=0, help_text="For how long these are tried."
    )
    batch = models.PositiveIntegerField(
        default=0, help_text="How many procs are replaced at a time. 0: all at once."
    )
    # Chosen once per dispatch, so that a build asked for meanwhile doesn't change its mind.
    build = models.ForeignKey(
        Build, null=True, blank=True, on_delete=models.SET_NULL, related_name="dispatches"
    )
    release = models.ForeignKey(
        Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    previous_release = models.ForeignKey(
        Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The pool's nodes from before this dispatch (of batches: the one under way) first changed it:
    # where a failure leads back to.
    routed_before = models.JSONField(null=True, blank=True, editable=False)
    own_config = EncryptedTextField(
        blank=True,
        default="",
        editable=False,
        help_text="JSON of the swarm's own settings that its release was made with.",
    )
    note = models.TextField(
        blank=True, default="", help_text="What to know of it, such as what a rollback restored."
    )
    status = models.CharField(
        max_length=10, choices=DispatchStatus.choices, default=DispatchStatus.QUEUED
    )
    error = models.TextField(blank=True, default="", help_text="Why it failed, in a sentence.")
    output = models.TextField(blank=True, default="", help_text="The failing output.")
    batched = models.PositiveIntegerField(
        default=0, help_text="How many procs the batches that are done have brought in."
    )
    # The failed dispatch whose batches this one takes back.
    reverts = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="reverted_by",
    )
    route_asked = models.DateTimeField(null=True, blank=True, editable=False)
    routed_by = models.CharField(
        max_length=150, blank=True, default="", help_text="Who asked for it to be routed."
    )
    # Until then nobody need look at it, unless somebody routes or cancels it.
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Uptests that were passed before count no more: procs have stood, or served, since.
    tested_after = models.DateTimeField(null=True, blank=True, editable=False)
    # Whoever drives it looks at this, so that a cancel is not lost with a message or a worker.
    cancel_asked = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_by = models.CharField(
        max_length=150, blank=True, default="", help_text="Who asked for it to be cancelled."
    )
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    is_traced = models.BooleanField(
        default=False, editable=False, help_text="An OTLP endpoint has taken its trace."
    )
    # The worker that drives it, and until when it is believed to be alive.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["swarm"],
                condition=Q(status__in=["queued", "running", "held"]),
                name="one_open_dispatch_per_swarm",
            )
        ]

    def __str__(self) -> str:
        return f"{self.swarm.name} → {self.tag}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_last_batch(self) -> bool:
        """Does nothing come after the batch that is under way? True without batches, too."""
        return not self.batch or self.batched + self.batch >= self.size
