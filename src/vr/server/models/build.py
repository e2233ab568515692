"""Apps, their builds, and builds with config: releases (runner-builder.md 8)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from vr.server.models.fields import parse_mapping, yaml_field
from vr.server.models.names import validate_part, validate_tag
from vr.server.models.stack import Image, Stack

REPO_TYPES = [("git", "git"), ("hg", "hg")]
FRAMEWORK = RegexValidator(
    r"^[A-Za-z0-9_.]+\Z", "must be the name of a stager's framework, such as sinatra or wsgi"
)
SIZE = RegexValidator(r"^[1-9][0-9]*[KMG]?\Z", "must be a size such as 256M or 1G")


class Buildpack(models.Model):
    """A repository or folder with a Heroku buildpack."""

    repo_url = models.CharField(max_length=200, unique=True)
    repo_type = models.CharField(max_length=10, choices=REPO_TYPES, default="git")
    desc = models.TextField(blank=True, default="")
    order = models.IntegerField(default=0, help_text="Detection tries lower numbers first.")

    class Meta:
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.repo_url


class App(models.Model):
    """Where an app's code lives and what builds it: a buildpack, the one that is named or else
    the first that detects it; or a stager's `framework`."""

    name = models.CharField(max_length=50, unique=True, validators=[validate_part])
    repo_url = models.CharField(max_length=200)
    repo_type = models.CharField(max_length=10, choices=REPO_TYPES, default="git")
    buildpack = models.ForeignKey(Buildpack, null=True, blank=True, on_delete=models.SET_NULL)
    framework = models.CharField(
        max_length=64,
        blank=True,
        default="",
        validators=[FRAMEWORK],
        help_text="A stager stages it as this, such as sinatra, instead of a buildpack.",
    )
    stack = models.ForeignKey(Stack, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.framework and self.buildpack:
            raise ValidationError(
                {"framework": "An app is built by a buildpack or staged as a framework, not both."}
            )


class BuildStatus(models.TextChoices):
    PENDING = "pending"
    STARTED = "started"
    SUCCESS = "success"
    FAILED = "failed"
    EXPIRED = "expired"


def hash_of(*parts: Any) -> str:
    """Hex MD5 over the concatenated JSON texts with sorted keys."""
    text = "".join(json.dumps(part, sort_keys=True) for part in parts)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


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
    start_time = models.DateTimeField(null=True, blank=True)
    end_time = models.DateTimeField(null=True, blank=True)
    env_yaml = yaml_field("Environment that the build brings, such as the buildpack's config_vars.")
    release_data = models.JSONField(default=dict, blank=True)
    process_types = models.JSONField(
        default=dict, blank=True, help_text="Commands by proc name; empty if not known."
    )
    revision = models.CharField(max_length=64, blank=True, default="")
    buildpack_url = models.CharField(max_length=300, blank=True, default="")
    buildpack_version = models.CharField(max_length=64, blank=True, default="")
    # Who builds it now, and until when that is believed; see swarming.
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.app}-{self.tag}"

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


class Release(models.Model):
    """A build with the config it runs with; its hash answers exactly what is running."""

    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="releases")
    config_yaml = yaml_field("Becomes settings.yaml in the container.")
    env_yaml = yaml_field("Environment variables of the app.")
    volumes = models.JSONField(default=list, blank=True)
    run_as = models.CharField(max_length=32, default="nobody")
    mem_limit = models.CharField(max_length=20, blank=True, default="", validators=[SIZE])
    memsw_limit = models.CharField(max_length=20, blank=True, default="", validators=[SIZE])
    hash = models.CharField(max_length=8, blank=True, default="", db_index=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.compiled_name

    @property
    def compiled_name(self) -> str:
        return f"{self.build.app.name}-{self.build.tag}-{self.hash}"

    def compute_hash(self) -> str:
        """First 8 hex digits of the MD5 over build hash and config; the build must be done."""
        return hash_of(
            self.build.hash,
            parse_mapping(self.config_yaml),
            parse_mapping(self.env_yaml),
            self.volumes,
            self.run_as,
            self.mem_limit or None,
            self.memsw_limit or None,
        )[:8]
