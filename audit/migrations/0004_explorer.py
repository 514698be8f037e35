"""What the explorer needs: two small indexes (about 8 bytes an entry together), and the queries that people keep.

The index on the action holds no order of its own, so equal actions share one key; the one on the request is a Bloom
filter over each range of pages, enough to find the few entries of a request among millions.
"""

import uuid

from django.db import migrations, models
from django.db.models.functions import Now

INDEXES = """
CREATE INDEX audit_entry_action ON audit_entry (action COLLATE "C");
CREATE INDEX audit_entry_request ON audit_entry
    USING brin (request_id text_bloom_ops (n_distinct_per_range = 300, false_positive_rate = 0.001))
    WITH (autosummarize = on, pages_per_range = 32);
"""
WITHOUT = "DROP INDEX audit_entry_action, audit_entry_request"


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_form_of_proofs")]
    operations = [
        migrations.RunSQL(INDEXES, WITHOUT),
        migrations.CreateModel(
            name="SavedQuery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("owner_kind", models.CharField(max_length=20)),
                ("owner_id", models.CharField(max_length=40)),
                ("shared", models.BooleanField(default=False)),
                ("log", models.CharField(max_length=10)),
                ("kid", models.CharField(max_length=40)),
                ("alg", models.CharField(max_length=40)),
                ("ciphertext", models.BinaryField()),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["owner_id", "created_at"], name="saved_query_by_owner")],
            },
        ),
    ]
