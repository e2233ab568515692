"""What is remembered of single procs between the caretaker's looks at them."""

from __future__ import annotations

from django.db import models

from vr.server.models.port_lease import PortLease


class ProcStatus(models.TextChoices):
    """How far a proc is on its way back."""

    WELL = "well"
    AWAY = "away"  # it is down, and will be started
    GONE = "gone"  # it must be set up anew
    BACK = "back"  # it runs again, and is to be tested


class Told(models.TextChoices):
    """What people were told of a proc last."""

    NOTHING = ""
    DOWN = "down"
    FAILED = "failed"  # its uptests
    DISK = "disk"  # it was stopped as it wrote too much


class ProcHealth(models.Model):
    """How a swarm's proc is; it goes with the lease of its port.

    A proc without a row is well, since the start that the lease has noted.
    """

    port_lease = models.OneToOneField(
        PortLease, primary_key=True, on_delete=models.CASCADE, related_name="health"
    )
    status = models.CharField(max_length=10, choices=ProcStatus.choices, default=ProcStatus.WELL)
    # The start that was last good.
    spawn = models.CharField(max_length=40, blank=True, default="")
    tries = models.PositiveIntegerField(default=0)
    due = models.DateTimeField(null=True, blank=True)
    told = models.CharField(max_length=10, choices=Told.choices, blank=True, default=Told.NOTHING)
    is_stopped = models.BooleanField(default=False, help_text="Its user stopped it.")
    is_loop_told = models.BooleanField(default=False)
    # Of its uptests outside of dispatches: when they were last run, how often in a row they failed
    # since it passed, and whether it left its pools for that.
    tested = models.DateTimeField(null=True, blank=True)
    test_failures = models.PositiveIntegerField(default=0)
    is_unrouted = models.BooleanField(default=False)
    # The worker that is at it, and until when it is believed to be alive.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.port_lease}: {self.status}"
