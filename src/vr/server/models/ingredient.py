"""Ingredients: config that several swarms share."""

from __future__ import annotations

from django.db import models

from vr.server.models.yaml_fields import ConfigField, EnvField


class Ingredient(models.Model):
    """A piece of config that several swarms share."""

    name = models.CharField(max_length=50, unique=True)
    config_yaml = ConfigField(
        "Config YAML", help_text="Merged into the config of every swarm that uses this."
    )
    env_yaml = EnvField(
        "Env YAML", help_text="Merged into the environment of every swarm that uses this."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
