"""Under whose key a kept query is sealed. Those of before stay under the installation's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_packed_entries")]
    operations = [
        migrations.AddField(
            model_name="savedquery",
            name="subject_kind",
            field=models.CharField(default="installation", max_length=20),
        ),
        migrations.AddField(
            model_name="savedquery",
            name="subject_id",
            field=models.CharField(default="00000000-0000-0000-0000-000000000000", max_length=40),
        ),
    ]
