"""Keys that were issued before versions are of the first."""

from typing import ClassVar

from django.db import migrations, models

from compliance.platform.versions import newest

FIRST = "2026-11-22"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("platform", "0002_daily_count")]
    operations: ClassVar = [
        migrations.AddField(
            "apikey",
            "api_version",
            models.CharField(default=FIRST, help_text="Of the API; kept until somebody moves it", max_length=10),
        ),
        migrations.AlterField(
            "apikey",
            "api_version",
            models.CharField(default=newest, help_text="Of the API; kept until somebody moves it", max_length=10),
        ),
    ]
