"""A void proposal keeps what changed, an expired one when managers were told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("proposals", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="proposal",
            name="changes",
            field=models.JSONField(default=dict, help_text="What made it void: item, as it was seen and as it is"),
        ),
        migrations.AddField(
            model_name="proposal",
            name="escalated_at",
            field=models.DateTimeField(help_text="When managers were told that nobody decided", null=True),
        ),
    ]
