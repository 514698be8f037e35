"""Levels that one officer set are floors. Those that stand are taken for such: no lower level rests on a doubt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="override",
            name="by_two",
            field=models.BooleanField(
                default=False, help_text="Decided by two: it may hold the level below the sum"
            ),
        ),
    ]
