"""An erased player's reference and person are free for the customer as whom they come back."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

GONE = """
UPDATE people_customer c SET erased_at = e.at
  FROM (SELECT customer_id, max(shredded_at) AS at FROM keeping_erasure GROUP BY customer_id) e WHERE e.customer_id = c.id;
UPDATE people_account a SET released_at = c.erased_at FROM people_customer c WHERE c.id = a.customer_id;
"""


def mark_the_erased(apps, schema_editor):
    """Erasures of before; the table is of an app above, which a new installation makes later."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('keeping_erasure') IS NOT NULL")
        if cursor.fetchone()[0]:
            cursor.execute(GONE)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0004_search_of_names_and_numbers")]
    operations: ClassVar = [
        migrations.AddField(
            "customer",
            "erased_at",
            models.DateTimeField(null=True, help_text="From then on the row is an id that nothing hangs on anew"),
        ),
        migrations.AddField(
            "account",
            "released_at",
            models.DateTimeField(
                null=True,
                help_text="When the player was erased: the gate still knows the reference, a new account may take it",
            ),
        ),
        migrations.RunPython(mark_the_erased, migrations.RunPython.noop),
        migrations.RemoveConstraint("customer", "customer_once_per_licensee"),
        migrations.AddConstraint(
            "customer",
            models.UniqueConstraint(
                fields=["person", "licensee"], condition=Q(erased_at=None), name="customer_once_per_licensee"
            ),
        ),
        migrations.RemoveConstraint("account", "account_reference_once"),
        migrations.AddConstraint(
            "account",
            models.UniqueConstraint(
                fields=["licensee", "reference"], condition=Q(released_at=None), name="account_reference_once"
            ),
        ),
        migrations.AddIndex("account", models.Index(fields=["licensee", "reference"], name="account_by_reference")),
    ]
