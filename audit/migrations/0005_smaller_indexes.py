"""Indexes that repeat an id once and not for each of its entries.

With `id` as their second column every key was unique, so PostgreSQL kept each one whole: 280 bytes an entry. Without it
equal keys share one, and an entry adds a few bytes. What a case, customer or object has is few enough to be sorted;
only what the log says of itself is much under one name, and keeps its order. An actor may have millions: that index
stays.
"""

from django.db import migrations

INDEXES = """
DROP INDEX audit_entry_matter, audit_entry_subject, audit_entry_object;
CREATE INDEX audit_entry_matter ON audit_entry (matter) WHERE matter IS NOT NULL;
CREATE INDEX audit_entry_subject ON audit_entry (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_entry_object ON audit_entry (object_id);
CREATE INDEX audit_entry_itself ON audit_entry (object_kind, object_id, id) WHERE object_kind IN ('anchor', 'log');
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_explorer")]
    operations = [migrations.RunSQL(INDEXES)]
