import django.core.validators
import vr.server.models.swarm
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("server", "0008_settle_pools")]

    operations = [
        migrations.AddField(
            model_name='swarm',
            name='body_size',
            field=models.CharField(blank=True, default='', help_text='The largest request body, such as 10M. Empty: as the balancer has it.', max_length=20, validators=[vr.server.models.swarm.validate_size]),
        ),
        migrations.AddField(
            model_name='swarm',
            name='header_size',
            field=models.CharField(blank=True, default='', help_text='How large the headers of an answer may be, such as 128k. Empty: as the balancer has it.', max_length=20, validators=[vr.server.models.swarm.validate_header_size]),
        ),
        migrations.AddField(
            model_name='swarm',
            name='read_timeout',
            field=models.PositiveIntegerField(blank=True, help_text='For how many seconds an app may be silent within an answer or a WebSocket. Empty: as the balancer has it.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)]),
        ),
    ]
