"""When a transaction was received, beside when it happened and when it was counted: what was knowable since when.

Nullable, so that no row is written anew; of older rows the time of counting stands for it. Months that are made later
are LIKE the whole table, so they have it too.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("transactions", "0003_rights_of_the_parts")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE transactions_transaction ADD COLUMN accepted_at timestamptz",
            "ALTER TABLE transactions_transaction DROP COLUMN accepted_at",
        ),
    ]
