"""A long pause is told once: that it was told stands with the pause, not with notices, which may be none and go."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("clocks", "0002_look_at")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="pause",
            name="told_at",
            field=models.DateTimeField(
                help_text="When those who should hear of a long pause were told, or nobody was there to hear", null=True
            ),
        ),
    ]
