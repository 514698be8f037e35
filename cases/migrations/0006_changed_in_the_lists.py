"""When a case last moved in the lists: a page that is open asks what came since, and the database alone answers."""

from typing import ClassVar

from django.db import migrations, models
from django.db.models.functions import Now

# What decides in which lists a case stands. Anything else that is written leaves the moment as it was.
MOVES = """
CREATE FUNCTION cases_case_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state, NEW.queue_id, NEW.assignee_id, NEW.waiting_for, NEW.priority, NEW.snoozed_until, NEW.restricted,
        NEW.merged_into_id, NEW.closed_at, NEW.due_at)
       IS DISTINCT FROM
       (OLD.state, OLD.queue_id, OLD.assignee_id, OLD.waiting_for, OLD.priority, OLD.snoozed_until, OLD.restricted,
        OLD.merged_into_id, OLD.closed_at, OLD.due_at)
    THEN NEW.changed_at := clock_timestamp();
    ELSE NEW.changed_at := OLD.changed_at;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_case_moved BEFORE UPDATE ON cases_case FOR EACH ROW EXECUTE FUNCTION cases_case_moved();
"""
STAYS = """
DROP TRIGGER cases_case_moved ON cases_case;
DROP FUNCTION cases_case_moved();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0005_conflicts_stand_with_people")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="case",
            name="changed_at",
            field=models.DateTimeField(
                db_default=Now(),
                editable=False,
                help_text="When its place in the lists changed; the database keeps it",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["changed_at"], name="case_open_by_change"
            ),
        ),
        migrations.RunSQL(MOVES, STAYS),
    ]
