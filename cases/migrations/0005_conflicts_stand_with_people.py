"""Who knows whom is asked below too (approvals, the vault): the table goes to compliance.people.conflicts as it is."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0004_desk_of_a_case"), ("conflicts", "0001_initial")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE cases_conflictofinterest RENAME TO conflicts_conflictofinterest",
                    "ALTER TABLE conflicts_conflictofinterest RENAME TO cases_conflictofinterest",
                )
            ],
            state_operations=[migrations.DeleteModel("ConflictOfInterest")],
        ),
    ]
