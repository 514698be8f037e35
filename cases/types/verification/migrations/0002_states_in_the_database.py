"""The states that a verification may be in. Django refuses a constraint on a proxy, so it is SQL."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE cases_case ADD CONSTRAINT case_verification_states"
            " CHECK (kind <> 'verification' OR state IN ('open', 'in_review', 'waiting', 'closed'))",
            "ALTER TABLE cases_case DROP CONSTRAINT case_verification_states",
        ),
    ]
