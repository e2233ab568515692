"""Repositories, as apps and buildpacks have one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from vr.repo.source import (
    address_problem,
    hide_credentials,
    lacks_credentials,
    reveal_credentials,
)
from vr.server.models.fields import EncryptedTextField

REPO_TYPES = [("git", "git"), ("hg", "hg")]


class RepositoryModel(models.Model):
    """A record with a `repo_url`, whose user and password are kept apart and encrypted.

    Everybody who reads it sees `***` in their place; written back so, they stay.
    """

    repo_url: models.CharField[str, str]
    repo_type = models.CharField(max_length=10, choices=REPO_TYPES, default="git")
    repo_credentials = EncryptedTextField(blank=True, default="", editable=False)

    class Meta:
        abstract = True

    @property
    def source_url(self) -> str:
        """The address with its credentials: for git and hg, and nobody else."""
        return reveal_credentials(self.repo_url, self.repo_credentials)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        self._hide_credentials()
        super().clean_fields(exclude)
        if problem := address_problem(self.repo_url):
            raise ValidationError({"repo_url": problem})
        if lacks_credentials(self.repo_url, self.repo_credentials):
            raise ValidationError(
                {"repo_url": "Give user and password anew: *** stands for those of the same host."}
            )

    def save(self, *args: Any, **options: Any) -> None:
        self._hide_credentials()
        if (names := options.get("update_fields")) is not None and "repo_url" in names:
            options["update_fields"] = {*names, "repo_credentials"}
        super().save(*args, **options)

    def _hide_credentials(self) -> None:
        try:
            hidden = hide_credentials(self.repo_url, self.repo_credentials)
        except ValueError:  # an address that is none, such as https://[x
            return
        self.repo_url, self.repo_credentials = hidden
