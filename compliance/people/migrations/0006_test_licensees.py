"""Licensees that hold invented players only. What one is, it stays: its keys must never come to see real players."""

from typing import ClassVar

from django.db import migrations, models

STAYS = """
CREATE FUNCTION people_licensee_stays_test() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a licensee is a test one, or not, for ever' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER licensee_stays_test BEFORE UPDATE OF is_test ON people_licensee
    FOR EACH ROW WHEN (OLD.is_test IS DISTINCT FROM NEW.is_test) EXECUTE FUNCTION people_licensee_stays_test();
"""
GONE = """
DROP TRIGGER licensee_stays_test ON people_licensee;
DROP FUNCTION people_licensee_stays_test();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("people", "0005_who_was_erased_may_come_back")]
    operations: ClassVar = [
        migrations.AddField(
            "licensee",
            "is_test",
            models.BooleanField(
                default=False,
                db_default=False,
                editable=False,
                help_text="Invented players only; set when it is made, for ever",
            ),
        ),
        migrations.RunSQL(STAYS, GONE),
    ]
