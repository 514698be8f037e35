"""The states that a request about play may be in. Django refuses a constraint on a proxy, so it is SQL."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("gaming", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE cases_case ADD CONSTRAINT case_gaming_states"
            " CHECK (kind <> 'gaming' OR state IN ('open', 'in_review', 'closed'))",
            "ALTER TABLE cases_case DROP CONSTRAINT case_gaming_states",
        ),
    ]
