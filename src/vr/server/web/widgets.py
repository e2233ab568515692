"""How the fields of models look in forms, by what they are for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models

from vr.server.models.yaml_fields import VolumesField, YamlField
from vr.specs.limits import LIMITS

CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "code"}
NAME = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}

_SCRIPTS = {"provisioning_script"}


def formfield(field: Any, **options: Any) -> Any:
    """The form's field of a model's; a `formfield_callback` for forms of models."""
    if widget := _widget(field):
        options.setdefault("widget", widget)
    return field.formfield(**options)


def _widget(field: Any) -> Any:
    if isinstance(field, YamlField):
        rows = 2 if isinstance(field, VolumesField) else 6
        return forms.Textarea(attrs=CODE | {"rows": rows, "placeholder": field.example})
    if field.name in _SCRIPTS:
        return forms.Textarea(attrs=CODE | {"rows": 8})
    if isinstance(field, models.ManyToManyField):
        return forms.CheckboxSelectMultiple()
    if field.name in LIMITS:
        kind = forms.TextInput if LIMITS[field.name].kind == "size" else forms.NumberInput
        return kind(attrs=NAME | {"placeholder": LIMITS[field.name].example})
    if isinstance(field, models.CharField) and not field.choices:
        return forms.TextInput(attrs=NAME)
    return None
