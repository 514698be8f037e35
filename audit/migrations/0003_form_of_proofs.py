"""What kind of proof an anchor gave, so that it can be handed out when the anchor itself is gone from the settings."""

from django.db import migrations

COLUMN = """
ALTER TABLE audit_anchor ADD COLUMN form text NOT NULL DEFAULT 'receipt' CHECK (form IN ('receipt', 'stamp', 'cosignature'));
GRANT INSERT (form) ON audit_anchor TO mizan_app;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_anchors_and_rotations")]
    operations = [migrations.RunSQL(COLUMN)]
