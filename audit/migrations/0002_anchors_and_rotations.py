"""What confirmed the log from outside, and how its key changed: two tables that only grow."""

from django.db import migrations

TABLES = """
-- A checkpoint that was handed over, and what came back. `renews` names the row whose token this one stamps anew.
CREATE TABLE audit_anchor (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log        text NOT NULL CHECK (log IN ('main', 'aml')),
    size       bigint NOT NULL CHECK (size > 0),
    name       text NOT NULL,
    note       text NOT NULL,
    proof      bytea NOT NULL,
    chain      text NOT NULL,
    at         timestamptz NOT NULL,
    expires_at timestamptz,
    renews     bigint UNIQUE REFERENCES audit_anchor,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX audit_anchor_newest ON audit_anchor (log, name, id);
CREATE INDEX audit_anchor_size ON audit_anchor (log, size);
COMMENT ON COLUMN audit_anchor.at IS 'by the clock of the anchor, where it has one';

-- The note by which a log changed its key, signed with the old and with the new one; `size` is the tree it was made at.
CREATE TABLE audit_rotation (
    log        text NOT NULL CHECK (log IN ('main', 'aml')),
    number     integer NOT NULL CHECK (number > 0),
    size       bigint NOT NULL CHECK (size >= 0),
    note       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, number)
);

SELECT audit_protect('audit_anchor', 'audit_refuse', '');
SELECT audit_protect('audit_rotation', 'audit_refuse', '');

REVOKE ALL ON audit_anchor, audit_rotation FROM PUBLIC, mizan_app, mizan_sequencer, mizan_auditor;
REVOKE ALL ON SEQUENCE audit_anchor_id_seq FROM PUBLIC, mizan_app, mizan_sequencer, mizan_auditor;
GRANT SELECT ON audit_anchor, audit_rotation TO mizan_app, mizan_sequencer, mizan_auditor;
GRANT INSERT (log, size, name, note, proof, chain, at, expires_at, renews) ON audit_anchor TO mizan_app;
GRANT INSERT (log, number, size, note) ON audit_rotation TO mizan_sequencer;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_the_log")]
    operations = [migrations.RunSQL(TABLES)]
