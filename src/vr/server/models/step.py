"""Steps of a dispatch."""

from __future__ import annotations

from django.db import models

from vr.server.models.dispatch import Dispatch


class StepKind(models.TextChoices):
    BUILD = "build"
    RELEASE = "release"
    DEPLOY = "deploy"
    START = "start"  # waiting until the deployed procs are ready
    UPTEST = "uptest"
    HOLD = "hold"  # waiting for somebody who routes or cancels it
    CANARY = "canary"  # some new procs are routed beside all old ones
    ROUTE = "route"
    SETTLE = "settle"  # the new procs serve, the old ones stand by
    DRAIN = "drain"
    RETIRE = "retire"
    UNDO = "undo"  # removing the new procs after a failure


class StepStatus(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Step(models.Model):
    """One step of a dispatch as people see it: what, how far, how long.

    A dispatch has one row per kind: a worker that carries on after another's death goes on with
    that row.
    """

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=StepKind.choices)
    status = models.CharField(max_length=10, choices=StepStatus.choices, default=StepStatus.RUNNING)
    message = models.TextField(blank=True, default="")
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "kind"], name="one_step_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
