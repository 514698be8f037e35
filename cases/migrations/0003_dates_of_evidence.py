"""Accepted evidence knows its dates, and a conflict of interest what it is."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_saved_views")]
    operations = [
        migrations.AddField("evidence", "issued_on", models.DateField(help_text="As the paper says", null=True)),
        migrations.AddField(
            "evidence", "valid_until", models.DateField(help_text="As the paper says: its last good day", null=True)
        ),
        migrations.AddField(
            "evidence",
            "good_until",
            models.DateField(help_text="The last day on which it proves anything", null=True),
        ),
        migrations.AddIndex(
            "evidence",
            models.Index(condition=Q(state="accepted"), fields=["good_until"], name="evidence_by_good_until"),
        ),
        migrations.AddField(
            "conflictofinterest",
            "relation",
            models.CharField(
                choices=[
                    ("myself", "It is myself"),
                    ("family", "Family"),
                    ("friend", "Friend or acquaintance"),
                    ("business", "Business or money"),
                    ("other", "Something else"),
                ],
                default="other",
                max_length=10,
            ),
        ),
    ]
