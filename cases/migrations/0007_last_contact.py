"""When the house and the player were last in touch on a case: one column, so that no list counts contacts by the row."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models.functions import Coalesce

# A row that was read before a contact and is written after it takes nothing back: the later moment stands.
LATER = """
CREATE FUNCTION cases_case_in_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.last_contact_at := greatest(NEW.last_contact_at, OLD.last_contact_at);
    RETURN NEW;
END $$;
CREATE TRIGGER cases_case_in_touch BEFORE UPDATE ON cases_case FOR EACH ROW EXECUTE FUNCTION cases_case_in_touch();
"""
NO_MORE = """
DROP TRIGGER cases_case_in_touch ON cases_case;
DROP FUNCTION cases_case_in_touch();
"""
BEFORE = """
UPDATE cases_case SET last_contact_at = known.at
FROM (
    SELECT case_id, max(at) AS at FROM (
        SELECT case_id, contacted_at AS at FROM contacts_contact WHERE outcome <> 'no_answer'
        UNION ALL SELECT case_id, written_at FROM cases_message WHERE written_by LIKE 'staff:%'
        UNION ALL SELECT case_id, arrived_at FROM mail_letter WHERE kind = 'person' AND case_id IS NOT NULL
    ) AS touched GROUP BY case_id
) AS known WHERE known.case_id = cases_case.id;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("cases", "0006_changed_in_the_lists"),
        ("contacts", "0004_contacts_that_become_due"),
        ("mail", "0001_initial"),
    ]
    operations: ClassVar = [
        migrations.AddField(
            model_name="case",
            name="last_contact_at",
            field=models.DateTimeField(
                editable=False, help_text="When the player and somebody of the house were last in touch", null=True
            ),
        ),
        migrations.RunSQL(LATER, NO_MORE),
        migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                Coalesce("last_contact_at", "opened_at"),
                models.F("id"),
                condition=models.Q(("closed_at", None)),
                name="case_open_by_contact",
            ),
        ),
    ]
