"""When the house and the player were last in touch on a case: one column, so that no list counts contacts by the row.

The column and what keeps it, and nothing that takes time: nobody reads the cases meanwhile. 0008 fills it, 0009 makes
its index, both while others work.
"""

from typing import ClassVar

from django.db import migrations, models

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
# Who waits for the table lets everybody wait that comes after: give up after a second. To migrate again is safe.
NOT_LONG = "SET LOCAL lock_timeout = '1s'"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0006_changed_in_the_lists")]
    operations: ClassVar = [
        migrations.RunSQL(NOT_LONG, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="case",
            name="last_contact_at",
            field=models.DateTimeField(
                editable=False, help_text="When the player and somebody of the house were last in touch", null=True
            ),
        ),
        migrations.RunSQL(LATER, NO_MORE),
    ]
