"""How often a worker began a build; credentials of repositories, apart and encrypted."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

import vr.server.models.fields
from vr.repo.source import hide_credentials, reveal_credentials


def hide(apps: Any, editor: Any) -> None:
    for model in ("App", "Buildpack"):
        for record in apps.get_model("server", model).objects.filter(repo_url__contains="@"):
            try:
                record.repo_url, record.repo_credentials = hide_credentials(record.repo_url)
            except ValueError:
                continue
            record.save(update_fields=["repo_url", "repo_credentials"])
    for build in apps.get_model("server", "Build").objects.filter(buildpack_url__contains="@"):
        try:
            build.buildpack_url = hide_credentials(build.buildpack_url)[0]
        except ValueError:
            continue
        build.save(update_fields=["buildpack_url"])


def reveal(apps: Any, editor: Any) -> None:
    for model in ("App", "Buildpack"):
        for record in apps.get_model("server", model).objects.exclude(repo_credentials=""):
            record.repo_url = reveal_credentials(record.repo_url, record.repo_credentials)
            record.save(update_fields=["repo_url"])


def credentials() -> Any:
    return vr.server.models.fields.EncryptedTextField(blank=True, default="", editable=False)


class Migration(migrations.Migration):
    dependencies = [("server", "0006_traffic")]

    operations = [
        migrations.AddField(
            model_name="build",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How often a worker began to build it."
            ),
        ),
        migrations.AddField("app", "repo_credentials", credentials()),
        migrations.AddField("buildpack", "repo_credentials", credentials()),
        migrations.RunPython(hide, reveal),
    ]
