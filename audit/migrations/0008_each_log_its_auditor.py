"""Each log has a login of its own for auditors: what one of them reads says nothing of what is in the other log
(how many entries it has the gaps between ids do tell: audit/README).

A login finds the tables of the log under their own names in the schema that is called like it: views of the rows of
its log alone. It reads no table itself. mizan_aml_auditor may be made later: `manage.py audit roles` then lets it in.
"""

from django.db import migrations

OF_A_LOG = (
    "audit_anchor",
    "audit_bundle_note",
    "audit_checkpoint",
    "audit_entry",
    "audit_leaf",
    "audit_pending",
    "audit_rotation",
    "audit_state",
    "audit_tile",
)
TABLES = ", ".join((*OF_A_LOG, "audit_sealed"))
# security_barrier: no condition of whoever asks sees a row before this one let it pass, in an error's words least of all.
VIEW = "CREATE VIEW {schema}.{table} WITH (security_barrier) AS SELECT * FROM public.{table} WHERE log = '{log}';"
# A sealed part names no log: it is read with its entry.
SEALED = """
CREATE VIEW {schema}.audit_sealed WITH (security_barrier) AS SELECT s.* FROM public.audit_sealed s
    WHERE EXISTS (SELECT FROM public.audit_entry e WHERE e.id = s.entry_id AND e.log = '{log}');
"""
LET_IN = """
DO $$ BEGIN
    IF to_regrole('{schema}') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA {schema} TO {schema};
        GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {schema};
    END IF;
END $$;
"""


def views(schema: str, log: str) -> str:
    """The tables of the log as the login `schema` sees them."""
    each = "\n".join(VIEW.format(schema=schema, table=table, log=log) for table in OF_A_LOG)
    return f"CREATE SCHEMA {schema};\n{each}\n{SEALED.format(schema=schema, log=log)}\n{LET_IN.format(schema=schema)}"


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_whose_kept_query")]
    operations = [
        migrations.RunSQL(views("mizan_auditor", "main")),
        migrations.RunSQL(views("mizan_aml_auditor", "aml")),
        migrations.RunSQL(f"REVOKE ALL ON {TABLES} FROM mizan_auditor"),
    ]
