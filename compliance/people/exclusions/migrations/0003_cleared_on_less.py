"""Whoever was cleared on less than agrees now is stopped again: a row of its own beside the one that was cleared."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("exclusions", "0002_nobody_alone")]
    operations: ClassVar = [
        migrations.RemoveConstraint("duplicate", "duplicate_once_per_pair"),
        migrations.AddConstraint(
            "duplicate",
            models.UniqueConstraint(
                fields=["person", "customer"],
                condition=Q(state__in=["open", "confirmed"]),
                name="duplicate_once_per_pair",
            ),
        ),
    ]
