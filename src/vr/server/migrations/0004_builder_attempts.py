"""How often a worker began a build: one that takes its workers down is not begun for ever."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("server", "0003_proc_settings")]

    operations = [
        migrations.AddField(
            model_name="build",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How often a worker began to build it."
            ),
        ),
    ]
