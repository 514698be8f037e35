"""The states that a verification may be in, and one open one per player. Django refuses both on a proxy, so it is SQL."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE cases_case ADD CONSTRAINT case_verification_states"
            " CHECK (kind <> 'verification' OR state IN ('open', 'in_review', 'waiting', 'closed'))",
            "ALTER TABLE cases_case DROP CONSTRAINT case_verification_states",
        ),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX case_one_open_verification ON cases_case (customer_id)"
            " WHERE kind = 'verification' AND closed_at IS NULL",
            "DROP INDEX case_one_open_verification",
        ),
    ]
