"""What a proc runs with, written down once for swarms, which want it, and releases, which fix it.

Forms, the API and what is written into proc.yaml are made from these fields. A new limit is a row
in vr.specs.limits, a line here, and a migration.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from vr.server.models.names import validate_account
from vr.server.models.yaml_fields import ConfigField, EnvField, VolumesField
from vr.server.models.yaml_text import parse_volumes
from vr.specs.limits import LIMITS, limits_problems


def limit_field(name: str) -> Any:
    """The field of a limit that vr.specs.limits describes."""
    limit = LIMITS[name]
    about: dict[str, Any] = {
        "verbose_name": limit.label,
        "help_text": f"{limit.help} Empty: VR_DEFAULT_LIMITS, else {limit.unset}.",
        "blank": True,
    }
    if limit.kind == "size":
        return models.CharField(max_length=20, default="", **about)
    if limit.kind == "whole":
        return models.PositiveIntegerField(null=True, **about)
    return models.FloatField(null=True, **about)


class ProcSettings(models.Model):
    """Config, environment, volumes, account and limits of a proc."""

    config_yaml = ConfigField(
        "Config YAML", help_text="Becomes settings.yaml; its path is in APP_SETTINGS_YAML."
    )
    env_yaml = EnvField("Env YAML", help_text="Environment variables of the app.")
    volumes_yaml = VolumesField(
        "Volumes", help_text="Folders of the host to mount: pairs of host folder, mount point."
    )
    run_as = models.CharField(
        max_length=32,
        default="nobody",
        validators=[validate_account],
        help_text="The user account of the app inside its container.",
    )
    mem_limit = limit_field("mem_limit")
    memsw_limit = limit_field("memsw_limit")
    cpu_limit = limit_field("cpu_limit")
    pids_limit = limit_field("pids_limit")
    disk_limit = limit_field("disk_limit")
    tmp_size = limit_field("tmp_size")
    log_limit = limit_field("log_limit")
    nofile = limit_field("nofile")

    class Meta:
        abstract = True

    @property
    def volumes(self) -> list[list[str]]:
        """The [host folder, mount point] pairs."""
        return parse_volumes(self.volumes_yaml)

    @property
    def limits(self) -> dict[str, Any]:
        """The limits that are set, by their names in proc.yaml."""
        found = {name: getattr(self, name) for name in LIMITS}
        return {name: value for name, value in found.items() if value not in (None, "")}

    @property
    def labelled_limits(self) -> list[tuple[str, Any]]:
        """(label, value) of each limit that is set, for people."""
        return [(LIMITS[name].label, value) for name, value in self.limits.items()]

    def settings(self) -> dict[str, Any]:
        """The value of each field, for another's settings to be made of."""
        return {field.name: getattr(self, field.name) for field in ProcSettings._meta.local_fields}

    def problems(self) -> dict[str, list[str]]:
        """What is wrong with values that are fine one by one: sentences by field."""
        found: dict[str, list[str]] = {}
        for name, sentence in limits_problems(self.limits):
            found.setdefault(name, []).append(sentence)
        return found

    def clean(self) -> None:
        if problems := self.problems():
            raise ValidationError(problems)
