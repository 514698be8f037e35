"""A rotation rewrites every row: half of each page stays free for it, and no index holds what it changes."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keys", "0003_afterwards")]
    operations: ClassVar = [
        migrations.RemoveIndex("subjectkey", "subject_key_epoch"),
        migrations.RunSQL(
            "ALTER TABLE keys_subjectkey SET (fillfactor = 50)", "ALTER TABLE keys_subjectkey RESET (fillfactor)"
        ),
    ]
