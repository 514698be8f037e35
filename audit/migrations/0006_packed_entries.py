"""Entries are stored packed (audit/packing.py), and a sealed part no longer repeats what its entry says of it.

Rows of before stay as they are, for ever: they begin with a brace, packed ones with their version.
"""

from django.db import migrations

SMALLER = """
ALTER TABLE audit_sealed ALTER COLUMN kid DROP NOT NULL, ALTER COLUMN alg DROP NOT NULL;
COMMENT ON COLUMN audit_sealed.kid IS 'the entry says it; empty since entries are packed';
COMMENT ON COLUMN audit_sealed.alg IS 'the entry says it; empty since entries are packed';
COMMENT ON COLUMN audit_entry.entry IS 'the canonical bytes that are hashed, packed as audit/packing.py says';
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_smaller_indexes")]
    operations = [migrations.RunSQL(SMALLER, migrations.RunSQL.noop)]
