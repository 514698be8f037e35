"""The log's tables, the triggers that let them only grow, and the least rights of each role.

Must run as mizan_owner: what it creates belongs to that role, which no process of the running product signs in as.
"""

from django.db import migrations, models

RIGHT_ROLE = """
DO $$
DECLARE missing text;
BEGIN
    IF current_user <> 'mizan_owner' THEN
        RAISE EXCEPTION 'The audit tables must belong to mizan_owner, not to %. Run migrate with the DATABASE_URL of mizan_owner.', current_user;
    END IF;
    SELECT string_agg(name, ', ') INTO missing
    FROM unnest(ARRAY['mizan_app', 'mizan_sequencer', 'mizan_auditor']) AS name WHERE to_regrole(name) IS NULL;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'These database roles are missing: %. A superuser creates them: CREATE ROLE name LOGIN PASSWORD ...', missing;
    END IF;
END $$;
"""

TABLES = """
CREATE TABLE audit_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    log          text NOT NULL CHECK (log IN ('main', 'aml')),
    event_id     uuid NOT NULL,
    at           timestamptz NOT NULL,
    actor_kind   text NOT NULL,
    actor_id     text NOT NULL,
    action       text NOT NULL,
    object_kind  text NOT NULL,
    object_id    text NOT NULL,
    subject_kind text,
    subject_id   text,
    matter       text,
    outcome      text NOT NULL CHECK (outcome IN ('done', 'refused')),
    request_id   text NOT NULL,
    entry        bytea NOT NULL CHECK (octet_length(entry) <= 60000),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id),
    CHECK ((subject_kind IS NULL) = (subject_id IS NULL))
) PARTITION BY RANGE (id);
CREATE INDEX audit_entry_matter ON audit_entry (matter, id) WHERE matter IS NOT NULL;
CREATE INDEX audit_entry_subject ON audit_entry (subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, id);
CREATE INDEX audit_entry_object ON audit_entry (object_id, id);
CREATE INDEX audit_entry_at ON audit_entry USING brin (at) WITH (autosummarize = on, pages_per_range = 32);
COMMENT ON TABLE audit_entry IS 'entry: the canonical bytes that are hashed; the other columns repeat it for searching';

-- What an entry says under its subject's key. Apart, so that it can go with the key while every proof stays valid.
CREATE TABLE audit_sealed (
    entry_id   bigint NOT NULL,
    kid        text NOT NULL,
    alg        text NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (entry_id)
) PARTITION BY RANGE (entry_id);

-- Written and not yet in the tree. Filled by trigger, so that what somebody inserts by SQL is sequenced too, and then flagged.
CREATE TABLE audit_pending (
    entry_id bigint PRIMARY KEY,
    log      text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE audit_leaf (
    log      text NOT NULL,
    seq      bigint NOT NULL CHECK (seq >= 0),
    entry_id bigint NOT NULL UNIQUE,
    event_id uuid UNIQUE,
    flag     text,
    PRIMARY KEY (log, seq),
    CHECK (event_id IS NOT NULL OR flag IS NOT NULL)
);
COMMENT ON COLUMN audit_leaf.event_id IS 'empty for a flagged entry that repeats the id of another';

CREATE TABLE audit_tile (
    log   text NOT NULL,
    level smallint NOT NULL,
    idx   bigint NOT NULL,
    data  bytea NOT NULL CHECK (octet_length(data) BETWEEN 32 AND 8192 AND octet_length(data) % 32 = 0),
    PRIMARY KEY (log, level, idx)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE audit_tile ALTER COLUMN data SET STORAGE EXTERNAL;  -- hashes do not compress

CREATE TABLE audit_checkpoint (
    log       text NOT NULL,
    size      bigint NOT NULL CHECK (size > 0),
    root      bytea NOT NULL CHECK (octet_length(root) = 32),
    note      text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, size)
);

-- The signature under the manifest of an export, made only for an export that is itself an entry. `size` is the tree that
-- the export was proved against: who got it may come back with that checkpoint.
CREATE TABLE audit_bundle_note (
    event_id uuid PRIMARY KEY,
    log      text NOT NULL,
    size     bigint NOT NULL,
    note     text NOT NULL
);
CREATE INDEX audit_bundle_note_size ON audit_bundle_note (log, size);

-- One row a log: where its tree stands, its newest checkpoint, which sequencer leads, and when that one last gave a sign of life.
CREATE TABLE audit_state (
    log         text PRIMARY KEY CHECK (log IN ('main', 'aml')),
    epoch       bigint NOT NULL DEFAULT 0,
    size        bigint NOT NULL DEFAULT 0,
    latest_at   timestamptz,
    signed_size bigint NOT NULL DEFAULT 0,
    note        text,
    vkey        text,
    beat_at     timestamptz,
    refusal     text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO audit_state (log) VALUES ('main'), ('aml');

-- Who read about whom for what until when: one entry in 15 minutes. Not part of the log; rows older than a day go.
CREATE TABLE audit_read_mark (
    actor    text NOT NULL,
    subject  text NOT NULL,
    purpose  text NOT NULL,
    until    timestamptz NOT NULL,
    PRIMARY KEY (actor, subject, purpose)
);
CREATE INDEX audit_read_mark_until ON audit_read_mark (until);
"""

FUNCTIONS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit log only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_refuse_sealed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- Only audit_delete_sealed sets this, for the subject whose key is destroyed.
    IF TG_OP = 'DELETE' AND current_user = 'mizan_owner' AND current_setting('mizan.shredding', true) = OLD.entry_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% on % is refused: the audit log only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_grow_tile() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.log, NEW.level, NEW.idx) = (OLD.log, OLD.level, OLD.idx)
       AND substring(NEW.data FROM 1 FOR octet_length(OLD.data)) = OLD.data THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: a tile only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_grow_state() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.log = OLD.log AND NEW.size >= OLD.size AND NEW.epoch >= OLD.epoch
       AND NEW.signed_size >= OLD.signed_size THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: the audit log only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_await() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO public.audit_pending (entry_id, log) VALUES (NEW.id, NEW.log);
    RETURN NULL;
END $$;

-- The ciphertexts of one subject, once its key is destroyed. Nobody may call it yet: shredding grants it.
CREATE FUNCTION audit_delete_sealed(kind text, id text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE gone bigint := 0; found bigint;
BEGIN
    FOR found IN SELECT e.id FROM public.audit_entry e WHERE e.subject_kind = $1 AND e.subject_id = $2 LOOP
        PERFORM set_config('mizan.shredding', found::text, true);
        DELETE FROM public.audit_sealed s WHERE s.entry_id = found;
        gone := gone + 1;
    END LOOP;
    PERFORM set_config('mizan.shredding', '', true);
    RETURN gone;
END $$;

-- Partitions of 10 million ids; always at least one whole empty one ahead. Attached rather than created in place, which would
-- stop every writer for a moment. The triggers named _here stay when a partition is detached.
CREATE FUNCTION audit_add_partition() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    width CONSTANT bigint := 10000000;
    reached bigint; next bigint; made integer := 0; parent text; part text; key text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_add_partition'));
    SELECT coalesce(pg_sequence_last_value('public.audit_entry_id_seq'), 0) INTO reached;
    SELECT coalesce(max(substring(relname FROM '^audit_entry_p(\\d+)$')::bigint) + 1, 0) INTO next
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r';
    WHILE next < reached / width + 2 LOOP
        FOREACH parent IN ARRAY ARRAY['audit_entry', 'audit_sealed'] LOOP
            part := parent || '_p' || lpad(next::text, 5, '0');
            key := CASE parent WHEN 'audit_entry' THEN 'id' ELSE 'entry_id' END;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', part, parent);
            EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, mizan_app, mizan_sequencer, mizan_auditor', part);
            PERFORM public.audit_protect(part, CASE parent WHEN 'audit_entry' THEN 'audit_refuse' ELSE 'audit_refuse_sealed' END, '_here');
            EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)', parent, part, next * width, (next + 1) * width);
            PERFORM public.audit_enable_always(part);
        END LOOP;
        next := next + 1;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION audit_protect(name text, refusal text, suffix text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_keep%s BEFORE UPDATE OR DELETE ON public.%I FOR EACH ROW EXECUTE FUNCTION public.%I()', suffix, name, refusal);
    EXECUTE format('CREATE TRIGGER audit_keep_whole%s BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse()', suffix, name);
    PERFORM public.audit_enable_always(name);
END $$;

CREATE FUNCTION audit_enable_always(name text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE found text;
BEGIN
    FOR found IN SELECT tgname FROM pg_trigger WHERE tgrelid = format('public.%I', name)::regclass AND NOT tgisinternal LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', name, found);
    END LOOP;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER audit_await AFTER INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_await();
SELECT audit_protect('audit_entry', 'audit_refuse', '');
SELECT audit_protect('audit_sealed', 'audit_refuse_sealed', '');
SELECT audit_protect('audit_leaf', 'audit_refuse', '');
SELECT audit_protect('audit_tile', 'audit_grow_tile', '');
SELECT audit_protect('audit_checkpoint', 'audit_refuse', '');
SELECT audit_protect('audit_bundle_note', 'audit_refuse', '');
SELECT audit_protect('audit_state', 'audit_grow_state', '');
CREATE TRIGGER audit_keep BEFORE UPDATE ON audit_pending FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keep_whole BEFORE TRUNCATE ON audit_pending FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
SELECT audit_enable_always('audit_pending');
SELECT audit_add_partition();
"""

# Default privileges gave mizan_app everything on each table above: take it back first.
RIGHTS = """
REVOKE ALL ON audit_entry, audit_sealed, audit_pending, audit_leaf, audit_tile, audit_checkpoint, audit_bundle_note, audit_state
    FROM PUBLIC, mizan_app, mizan_sequencer, mizan_auditor;
REVOKE ALL ON SEQUENCE audit_entry_id_seq FROM PUBLIC, mizan_app, mizan_sequencer, mizan_auditor;
REVOKE ALL ON FUNCTION audit_refuse(), audit_refuse_sealed(), audit_grow_tile(), audit_grow_state(), audit_await(),
    audit_delete_sealed(text, text), audit_add_partition(), audit_protect(text, text, text), audit_enable_always(text) FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO mizan_app, mizan_sequencer, mizan_auditor;
GRANT SELECT ON audit_entry, audit_sealed, audit_pending, audit_leaf, audit_tile, audit_checkpoint, audit_bundle_note, audit_state
    TO mizan_app, mizan_sequencer, mizan_auditor;
GRANT INSERT (log, event_id, at, actor_kind, actor_id, action, object_kind, object_id, subject_kind, subject_id, matter, outcome,
    request_id, entry) ON audit_entry TO mizan_app, mizan_sequencer;
GRANT INSERT (entry_id, kid, alg, ciphertext) ON audit_sealed TO mizan_app;

GRANT DELETE ON audit_pending TO mizan_sequencer;
GRANT INSERT ON audit_leaf, audit_checkpoint, audit_bundle_note TO mizan_sequencer;
GRANT INSERT, UPDATE ON audit_tile TO mizan_sequencer;
GRANT UPDATE (epoch, size, latest_at, signed_size, note, vkey, beat_at, refusal) ON audit_state TO mizan_sequencer;
GRANT EXECUTE ON FUNCTION audit_add_partition() TO mizan_sequencer;

GRANT SELECT, INSERT, UPDATE, DELETE ON audit_read_mark TO mizan_app;
GRANT SELECT, DELETE ON audit_read_mark TO mizan_sequencer;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(RIGHT_ROLE),
        migrations.RunSQL(TABLES),
        migrations.RunSQL(FUNCTIONS),
        migrations.RunSQL(TRIGGERS),
        migrations.RunSQL(RIGHTS),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("log", models.TextField()),
                ("event_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("actor_kind", models.TextField()),
                ("actor_id", models.TextField()),
                ("action", models.TextField()),
                ("object_kind", models.TextField()),
                ("object_id", models.TextField()),
                ("subject_kind", models.TextField(null=True)),
                ("subject_id", models.TextField(null=True)),
                ("matter", models.TextField(null=True)),
                ("outcome", models.TextField()),
                ("request_id", models.TextField()),
                ("entry", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_entry",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": [
                    ("export_entry", "Can export the log"),
                    ("view_aml_entry", "Can view the log of the AML side"),
                ],
            },
        ),
    ]
