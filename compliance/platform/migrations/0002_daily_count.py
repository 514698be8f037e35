import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("platform", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="DailyCount",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("thing", models.CharField(max_length=40)),
                ("theirs", models.PositiveIntegerField()),
                ("ours", models.PositiveIntegerField()),
                ("references", models.JSONField(null=True)),
                ("missing", models.JSONField(default=list)),
                ("extra", models.JSONField(default=list)),
                ("reported_at", models.DateTimeField()),
                (
                    "licensee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.licensee"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("licensee", "day", "thing"), name="daily_count_once")
                ],
            },
        ),
    ]
