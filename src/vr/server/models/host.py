"""Hosts: the machines that procs run on."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from vr.server.models.squad import Squad
from vr.specs.names import HOST_NAME

USER_NAME = r"[a-z_][a-z0-9_-]{0,31}"


class Host(models.Model):
    """A machine that runs procs under its own Supervisor."""

    name = models.CharField(
        max_length=200,
        unique=True,
        validators=[RegexValidator(rf"^{HOST_NAME}\Z", "must be a host name")],
    )
    active = models.BooleanField(default=True, help_text="Inactive hosts get no new procs.")
    draining = models.BooleanField(
        default=False,
        help_text="It gets no new procs, and those that are there are moved to others.",
    )
    squad = models.ForeignKey(
        Squad, null=True, blank=True, on_delete=models.SET_NULL, related_name="hosts"
    )
    address = models.CharField(
        max_length=200,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[A-Za-z0-9.:_-]+\Z", "must be a host name or an IP address")],
        help_text="Where SSH and balancers find it. Empty: at its name.",
    )
    ssh_user = models.CharField(
        max_length=32,
        blank=True,
        default="",
        validators=[RegexValidator(rf"^{USER_NAME}\Z", "must be the name of an account")],
        help_text="Who the server signs in as. Empty: root; another needs sudo.",
    )
    ssh_port = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
        help_text="Empty: what ~/.ssh/config of the server says, else 22.",
    )
    host_key = models.CharField(
        max_length=2000,
        blank=True,
        default="",
        help_text="The SSH key that the host must show, pinned when it was added.",
    )
    release = models.CharField(
        max_length=100,
        blank=True,
        default="",
        editable=False,
        help_text="The software that the server installed there; empty before.",
    )

    # Since when it has been silent, if people were told that; only the caretaker writes it.
    silent_since = models.DateTimeField(null=True, blank=True, editable=False)
    back_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when it has too little room for new procs; only the caretaker writes it.
    disk_full_since = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["address"],
                condition=~models.Q(address=""),
                name="one_host_of_an_address",
                violation_error_message="Another host has this address.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_over_ssh(self) -> bool:
        """Was it added with a key to trust? Others are this machine, or a name only."""
        return bool(self.host_key)
