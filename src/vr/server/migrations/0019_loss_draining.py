from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("server", "0018_rescued_squads"),
    ]

    operations = [
        migrations.AddField(
            model_name="host",
            name="draining",
            field=models.BooleanField(
                default=False,
                help_text="It gets no new procs, and those that are there are moved to others.",
            ),
        ),
    ]
