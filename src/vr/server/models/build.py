"""Builds: an app at a tag, compiled."""

from __future__ import annotations

from typing import Any

import yaml
from django.db import models

from vr.server.models.app import App
from vr.server.models.content_hash import hash_of
from vr.server.models.image import Image
from vr.server.models.names import validate_tag
from vr.server.models.yaml_fields import EnvField


class BuildStatus(models.TextChoices):
    PENDING = "pending"
    STARTED = "started"
    SUCCESS = "success"
    FAILED = "failed"
    EXPIRED = "expired"


OPEN = (BuildStatus.PENDING, BuildStatus.STARTED)


class Build(models.Model):
    """An app at a tag, compiled by a buildpack in an image; immutable once it succeeded."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="builds")
    tag = models.CharField(max_length=50, validators=[validate_tag])
    image = models.ForeignKey(Image, null=True, blank=True, on_delete=models.PROTECT)
    status = models.CharField(
        max_length=10, choices=BuildStatus.choices, default=BuildStatus.PENDING
    )
    file = models.CharField(max_length=400, blank=True, default="", help_text="In the file store.")
    file_md5 = models.CharField(max_length=32, blank=True, default="")
    hash = models.CharField(max_length=32, blank=True, default="")
    compile_log = models.CharField(
        max_length=400, blank=True, default="", help_text="In the file store; grows while building."
    )
    error = models.TextField(blank=True, default="", help_text="Why it failed.")
    asked = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a user asked for it to be built."
    )
    start_time = models.DateTimeField(null=True, blank=True)
    end_time = models.DateTimeField(null=True, blank=True)
    env_yaml = EnvField(
        help_text="Environment that the build brings, such as the buildpack's config_vars."
    )
    release_data = models.JSONField(default=dict, blank=True)
    process_types = models.JSONField(
        default=dict, blank=True, help_text="Commands by proc name; empty if not known."
    )
    revision = models.CharField(max_length=64, blank=True, default="")
    buildpack_url = models.CharField(max_length=300, blank=True, default="")
    buildpack_version = models.CharField(max_length=64, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker began to build it."
    )
    # Whoever builds it looks at this, so that a cancel is not lost with a message or a worker.
    cancel_asked = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_by = models.CharField(
        max_length=150, blank=True, default="", help_text="Who asked for it to be cancelled."
    )
    # Who builds it now, and until when that is believed.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.app}-{self.tag}"

    @property
    def is_open(self) -> bool:
        """Neither built nor failed yet."""
        return self.status in OPEN

    @property
    def is_usable(self) -> bool:
        return self.status == BuildStatus.SUCCESS and bool(self.file)

    def take_release_data(self, data: dict[str, Any]) -> None:
        """Keep what `bin/release` said; its config_vars become the environment of releases."""
        self.release_data = data
        config_vars = data.get("config_vars") or {}
        self.env_yaml = yaml.safe_dump(config_vars, allow_unicode=True) if config_vars else ""

    def compute_hash(self) -> str:
        """MD5 over the tarball's MD5 and the image's."""
        return hash_of(self.file_md5, self.image.md5 if self.image else None)
