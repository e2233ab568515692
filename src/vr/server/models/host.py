"""Hosts: the machines that procs run on."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from vr.server.models.squad import Squad
from vr.specs.names import HOST_NAME


class Host(models.Model):
    """A machine that runs procs under its own Supervisor."""

    name = models.CharField(
        max_length=200,
        unique=True,
        validators=[RegexValidator(rf"^{HOST_NAME}\Z", "must be a host name")],
    )
    active = models.BooleanField(default=True, help_text="Inactive hosts get no new procs.")
    squad = models.ForeignKey(
        Squad, null=True, blank=True, on_delete=models.SET_NULL, related_name="hosts"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
