"""The index of the last contact, made while others write. One that was broken off is there and does nothing: it goes."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("cases", "0008_last_contact_before")]
    operations: ClassVar = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS case_open_by_contact", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                Coalesce("last_contact_at", "opened_at"),
                models.F("id"),
                condition=models.Q(("closed_at", None)),
                name="case_open_by_contact",
            ),
        ),
    ]
