"""Swarms: procs of one release, balanced over a squad; and the config they share."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from vr.server.models.build import SIZE, App, Release
from vr.server.models.fields import (
    EncryptedTextField,
    parse_mapping,
    parse_volumes,
    validate_volumes,
    yaml_field,
)
from vr.server.models.host import Squad
from vr.server.models.names import validate_part, validate_tag

POOL = RegexValidator(
    r"^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?\Z",
    "must be letters, digits, '_' and '-', as it becomes a balancer's pool and a host name",
)
ACCOUNT = RegexValidator(r"^[a-z_][a-z0-9_-]*\Z", "must be the name of a user account")


class Ingredient(models.Model):
    """A piece of config that several swarms share."""

    name = models.CharField(max_length=50, unique=True)
    config_yaml = yaml_field("Merged into the config of every swarm that uses this.")
    env_yaml = yaml_field("Merged into the environment of every swarm that uses this.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Swarm(models.Model):
    """The intent: this proc of this app, at this tag, with this config, so many, there, routed."""

    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="swarms")
    tag = models.CharField(max_length=50, validators=[validate_tag])
    proc_name = models.CharField(max_length=50, validators=[validate_part])
    config_name = models.CharField(max_length=50, validators=[validate_part])
    squad = models.ForeignKey(Squad, on_delete=models.PROTECT, related_name="swarms")
    size = models.PositiveIntegerField(default=1)
    config_yaml = yaml_field("Becomes settings.yaml; its path is in APP_SETTINGS_YAML.")
    env_yaml = yaml_field("Additional environment variables of the app.")
    volumes_yaml = EncryptedTextField(blank=True, default="", validators=[validate_volumes])
    run_as = models.CharField(max_length=32, default="nobody", validators=[ACCOUNT])
    mem_limit = models.CharField(max_length=20, blank=True, default="", validators=[SIZE])
    memsw_limit = models.CharField(max_length=20, blank=True, default="", validators=[SIZE])
    config_ingredients = models.ManyToManyField(Ingredient, blank=True, related_name="swarms")
    pool = models.CharField(max_length=50, blank=True, default="", validators=[POOL])
    balancer = models.CharField(max_length=50, blank=True, default="")
    # Every [balancer, pool] that may hold nodes of this swarm, written before the balancer is:
    # after pool or balancer were changed, the next dispatch cleans the former ones.
    routed_pools = models.JSONField(default=list, editable=False)
    # What the last successful dispatch left running; rollback goes to the one before.
    release = models.ForeignKey(
        Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="swarms"
    )

    class Meta:
        ordering = ["app__name", "config_name", "proc_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["app", "config_name", "squad", "proc_name"],
                name="one_swarm_per_app_config_squad_proc",
                violation_error_message=(
                    "There is a swarm of this app, config name, squad and proc name already."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.shortname

    @property
    def name(self) -> str:
        """`app-config-proc`: what `vr swarm` matches."""
        return f"{self.app.name}-{self.config_name}-{self.proc_name}"

    @property
    def shortname(self) -> str:
        return f"{self.app.name}-{self.tag}-{self.config_name}-{self.proc_name}"

    @property
    def volumes(self) -> list[list[str]]:
        return parse_volumes(self.volumes_yaml)

    def compiled_config(self) -> dict[str, Any]:
        """Ingredients in order of name, then the swarm's own; later wins, shallow."""
        return self._compiled("config_yaml")

    def compiled_env(self) -> dict[str, Any]:
        return self._compiled("env_yaml")

    def _compiled(self, field: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        # Sorted here, so that ingredients which a list has fetched for all are not asked for again.
        for ingredient in sorted(self.config_ingredients.all(), key=lambda one: one.name):
            merged.update(parse_mapping(getattr(ingredient, field)))
        merged.update(parse_mapping(getattr(self, field)))
        return merged

    def clean(self) -> None:
        if self.pool and not self.balancer:
            raise ValidationError(
                {"balancer": f"The pool {self.pool!r} needs a balancer that routes to it."}
            )
