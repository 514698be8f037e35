"""Keys made for the log about subjects that were erased already: they are listed, and end as well."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keys", "0002_tombstones")]
    operations: ClassVar = [
        migrations.AddField(
            "subjectkey",
            "afterwards",
            models.BooleanField(default=False, db_default=False, help_text="Made after the subject was erased"),
        ),
        migrations.RunSQL(
            "UPDATE keys_subjectkey k SET afterwards = true WHERE retired_at IS NULL AND EXISTS"
            " (SELECT FROM keys_subjectkey o WHERE o.kind = k.kind AND o.subject_id = k.subject_id"
            " AND o.version < k.version AND o.retired_at IS NOT NULL)",
            "",
        ),
        migrations.AddIndex(
            "subjectkey",
            models.Index(
                fields=["created_at"], condition=Q(afterwards=True, retired_at=None), name="subject_key_afterwards"
            ),
        ),
    ]
