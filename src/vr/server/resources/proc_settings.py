"""What a proc runs with, as swarms and releases show it: made from the model's own fields."""

from __future__ import annotations

from typing import Any

from django.db import models

from vr.server.models.proc_settings import ProcSettings
from vr.server.models.yaml_fields import VolumesField, YamlField
from vr.server.resources.fields import Field, Mapping, Number, Text, Volumes


def proc_settings() -> tuple[Field, ...]:
    """The fields of the API for those of ProcSettings, in its order."""
    return tuple(_field(one) for one in ProcSettings._meta.local_fields)


def _field(one: Any) -> Field:
    match one:
        case VolumesField():
            return Volumes(name="volumes", attribute=one.name)
        case YamlField():
            return Mapping(name=one.name)
        case models.FloatField() | models.IntegerField():
            return Number(name=one.name, whole=isinstance(one, models.IntegerField))
        case _:
            return Text(name=one.name, nullable=one.blank)
