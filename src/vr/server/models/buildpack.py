"""Buildpacks: what turns a repository into something that runs."""

from __future__ import annotations

from django.db import models

from vr.server.models.repository import RepositoryModel


class Buildpack(RepositoryModel):
    """A repository or folder with a Heroku buildpack."""

    repo_url = models.CharField(max_length=200, unique=True)
    desc = models.TextField(blank=True, default="")
    order = models.IntegerField(default=0, help_text="Detection tries lower numbers first.")

    class Meta:
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.repo_url
