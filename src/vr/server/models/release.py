"""Releases: builds with the config they run with."""

from __future__ import annotations

from django.db import models

from vr.server.models.build import Build
from vr.server.models.content_hash import hash_of
from vr.server.models.proc_settings import ProcSettings
from vr.server.models.yaml_text import parse_env, parse_mapping

# Limits that releases always had are a part of every hash, later ones only where they are set: what
# runs since before a limit was invented is still the same release.
_ALWAYS_HASHED = ("mem_limit", "memsw_limit")


class Release(ProcSettings):
    """A build with the config it runs with; its hash answers exactly what is running."""

    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="releases")
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
        later = self.limits
        always = [later.pop(name, None) for name in _ALWAYS_HASHED]
        return hash_of(
            self.build.hash,
            parse_mapping(self.config_yaml),
            parse_env(self.env_yaml),
            self.volumes,
            self.run_as,
            *always,
            *([later] if later else []),
        )[:8]
