"""Notifiers: who elsewhere is told of which events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from vr.server.models.app import App
from vr.server.models.fields import EncryptedTextField
from vr.server.models.notify_service import WEBHOOK, service_of
from vr.server.models.squad import Squad

OPEN = ("open",)
HIDDEN = "***"


def masked(address: str) -> str:
    """What everybody may read of an address: how it is reached, and for webhooks at which host."""
    scheme, _, rest = address.partition("://")
    if scheme not in {"http", "https"}:
        return f"{scheme}://{HIDDEN}"
    host = rest.partition("/")[0].rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{host}/{HIDDEN}"


class Notifier(models.Model):
    """An address that events are sent to: of a webhook, or one that Apprise knows.

    Address and secret are kept encrypted. Everybody who reads them sees `***`; written back so,
    they stay.
    """

    name = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+\Z", "use letters, digits, '_', '.', '-'")],
    )
    url = models.CharField(
        "Address",
        max_length=2000,
        help_text="https://… of a webhook of your own, or an Apprise URL such as "
        "mailto://user:password@example.org or slack://….",
    )
    secret = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Signs what webhooks are sent (HMAC-SHA256). Empty: nothing is signed.",
    )
    kinds = models.CharField(
        "Events",
        max_length=1000,
        default="bad",
        help_text="Names of kinds such as swarm_failed host_silent, or their tones bad, warn, ok, "
        "busy, idle; or all.",
    )
    app = models.ForeignKey(
        App,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notifiers",
        help_text="Only events of this app.",
    )
    squad = models.ForeignKey(
        Squad,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notifiers",
        help_text="Only events of this squad, its hosts and swarms.",
    )
    active = models.BooleanField(default=True)
    stored_url = EncryptedTextField(blank=True, default="", editable=False)
    stored_secret = EncryptedTextField(blank=True, default="", editable=False)
    service = models.CharField(
        max_length=100, blank=True, default="", editable=False, help_text="What sends to it."
    )
    # How many were not even queued, as too many waited.
    dropped = models.PositiveIntegerField(default=0, editable=False)
    # The worker that sends to it, and until when it is believed to be alive.
    status = models.CharField(max_length=10, default=OPEN[0], editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_webhook(self) -> bool:
        """Is it sent our own, signed JSON, and not by Apprise?"""
        return self.service == WEBHOOK

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        problem = ""
        if HIDDEN in self.url and self.url != masked(self.stored_url):
            problem = "Give the whole address anew: *** stands for that of the same host."
        elif "://" not in self.url or not self.url.isprintable() or " " in self.url:
            problem = "must be an address such as https://… or mailto://…, without blanks"
        elif HIDDEN not in self.url and not service_of(self.url):
            problem = "is neither the address of a webhook nor one that Apprise knows"
        if problem:
            raise ValidationError({"url": problem})
        self._hide()
        super().clean_fields(exclude)

    def save(self, *args: Any, **options: Any) -> None:
        self._hide()
        super().save(*args, **options)

    def _hide(self) -> None:
        if HIDDEN not in self.url:
            self.stored_url = self.url
            self.service = service_of(self.url)
            self.url = masked(self.stored_url)
        if self.secret != HIDDEN:
            self.stored_secret = self.secret
            self.secret = HIDDEN if self.secret else ""
