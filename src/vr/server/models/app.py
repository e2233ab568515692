"""Apps: where code lives, and what builds it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from vr.server.models.buildpack import Buildpack
from vr.server.models.names import validate_part
from vr.server.models.repository import RepositoryModel
from vr.server.models.stack import Stack

FRAMEWORK = RegexValidator(
    r"^[A-Za-z0-9_.]+\Z", "must be the name of a stager's framework, such as sinatra or wsgi"
)


class App(RepositoryModel):
    """Where an app's code lives and what builds it: a buildpack, the one that is named or else
    the first that detects it; or a stager's `framework`."""

    name = models.CharField(max_length=50, unique=True, validators=[validate_part])
    repo_url = models.CharField(max_length=200)
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
        super().clean()
        same = App.objects.filter(name__iexact=self.name).exclude(name=self.name)
        if other := same.exclude(pk=self.pk).first():
            raise ValidationError({"name": f"It differs only in case from the app {other.name}."})
        if self.framework and self.buildpack:
            raise ValidationError(
                {"framework": "An app is built by a buildpack or staged as a framework, not both."}
            )
