"""The last contact of the cases that were there before: a few at a time, while others work.

No transaction around it: each few are written for themselves, so no row is held for long. Broken off, it is run again:
what was written then is left as it is.
"""

from typing import Any, ClassVar
from uuid import UUID

from django.db import migrations, transaction

AT_ONCE = 1000  # cases
# Locked in the order in which everybody locks several: whoever writes two of them meanwhile waits, and is not refused.
NEXT = "SELECT id FROM cases_case WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE"
BEFORE = """
UPDATE cases_case SET last_contact_at = known.at
FROM (
    SELECT case_id, max(at) AS at FROM (
        SELECT case_id, contacted_at AS at FROM contacts_contact
        WHERE outcome <> 'no_answer' AND case_id = ANY(%(ids)s)
        UNION ALL SELECT case_id, written_at FROM cases_message
        WHERE written_by LIKE 'staff:%%' AND case_id = ANY(%(ids)s)
        UNION ALL SELECT case_id, arrived_at FROM mail_letter WHERE kind = 'person' AND case_id = ANY(%(ids)s)
    ) AS touched GROUP BY case_id
) AS known
WHERE known.case_id = cases_case.id AND known.at > coalesce(cases_case.last_contact_at, '-infinity');
"""


def fill(apps: Any, schema_editor: Any) -> None:
    connection, last = schema_editor.connection, UUID(int=0)
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(NEXT, [last, AT_ONCE])
            ids = [pk for (pk,) in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(BEFORE, {"ids": ids})
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [
        ("cases", "0007_last_contact"),
        ("contacts", "0004_contacts_that_become_due"),
        ("mail", "0001_initial"),
    ]
    operations: ClassVar = [migrations.RunPython(fill, migrations.RunPython.noop)]
