"""Leases of ports: which proc owns which port of a host."""

from __future__ import annotations

from django.db import models

from vr.server.models.dispatch import Dispatch
from vr.server.models.host import Host
from vr.server.models.swarm import Swarm


class PortLease(models.Model):
    """A port of a host and the proc that owns it, from before its deploy until it is retired."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="port_leases")
    port = models.PositiveIntegerField()
    swarm = models.ForeignKey(
        Swarm, null=True, blank=True, on_delete=models.SET_NULL, related_name="port_leases"
    )
    dispatch = models.ForeignKey(
        Dispatch,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="port_leases",
        help_text="The dispatch that placed the proc; its failure removes it.",
    )
    proc = models.CharField(max_length=250, help_text="Full name of the proc.")
    # The start of the process that was seen first; another one means that the proc started again.
    spawn = models.CharField(max_length=40, blank=True, default="", editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "port"], name="one_owner_per_port"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port} {self.proc}"
