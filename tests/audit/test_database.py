"""What the database refuses, each statement as the login that would try it."""

import re

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from audit.database import PARTITIONED, TABLES, weaknesses
from audit.leaves import LEAVES
from compliance.embedded.postgres import AML_AUDITOR, APPLICATION, AUDITOR, OWNER, SEQUENCER, SUPERUSER
from tests import database
from tests.audit.conftest import COLUMNS, VALUES

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.GeneratedAlways)

INSERT = f"INSERT INTO audit_entry ({{0}}{COLUMNS}) {{2}} VALUES ({{1}}{VALUES})"
STATEMENTS = [
    "UPDATE audit_entry SET matter = 'x'",
    "UPDATE audit_entry SET entry = ''",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "TRUNCATE audit_entry_p00000",
    "DELETE FROM audit_entry_p00000",
    "SELECT * FROM audit_entry_p00000",
    "INSERT INTO audit_entry_p00000 (id) VALUES (5)",
    INSERT.format("id, ", "7, ", ""),
    INSERT.format("id, ", "7, ", "OVERRIDING SYSTEM VALUE"),
    INSERT.format("created_at, ", "now(), ", ""),
    "COPY audit_entry FROM STDIN",
    "COPY audit_leaf FROM STDIN",
    "MERGE INTO audit_entry e USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "SELECT * FROM audit_entry FOR UPDATE",
    "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE",
    "UPDATE audit_sealed SET kid = 'x'",
    "DELETE FROM audit_sealed",
    "TRUNCATE audit_sealed",
    "SELECT audit_delete_sealed('customer', 'x')",
    "INSERT INTO audit_pending VALUES (1, 'main')",
    "DELETE FROM audit_pending",
    "UPDATE audit_pending SET log = 'aml'",
    "INSERT INTO audit_leaf VALUES ('main', 0, 1, NULL, 'x')",
    "UPDATE audit_leaf SET flag = NULL",
    "DELETE FROM audit_leaf",
    "INSERT INTO audit_tile VALUES ('main', 0, 0, '')",
    "UPDATE audit_tile SET data = ''",
    "DELETE FROM audit_tile",
    "INSERT INTO audit_checkpoint (log, size, root, note) VALUES ('main', 1, '', '')",
    "DELETE FROM audit_checkpoint",
    "INSERT INTO audit_bundle_note VALUES (gen_random_uuid(), '')",
    "UPDATE audit_anchor SET size = 1",
    "DELETE FROM audit_anchor",
    "TRUNCATE audit_anchor",
    "INSERT INTO audit_anchor (id) VALUES (1)",
    "INSERT INTO audit_rotation (log, number, size, note) VALUES ('main', 1, 0, '')",
    "DELETE FROM audit_rotation",
    "UPDATE audit_state SET size = 0",
    "DELETE FROM audit_state",
    "SELECT nextval('audit_entry_id_seq')",
    "SELECT setval('audit_entry_id_seq', 1)",
    "SELECT audit_add_partition()",
    "SELECT audit_enable_always('audit_entry')",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entry DETACH PARTITION audit_entry_p00000",
    "ALTER TABLE audit_entry ADD COLUMN x text",
    "DROP TABLE audit_entry",
    "DROP TABLE audit_leaf",
    "DROP FUNCTION audit_refuse() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE RULE mine AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "SET ROLE mizan_owner",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE TABLE mine (id int)",
]


@pytest.fixture(scope="module")
def built(migrated, django_db_setup):
    with database.a_copy(migrated, "refusals") as name:
        yield migrated, name


def run(built, role, statement, *, tables=False):
    """As `role`; with `tables`, past the views that stand before them in an auditors' login."""
    cluster, name = built
    with psycopg.connect(cluster.url(role, name)) as connection:
        if tables:
            connection.execute("SET search_path = public")
        if statement.startswith("COPY"):
            with connection.cursor().copy(statement):
                pass
        else:
            connection.execute(statement)
        connection.rollback()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_application_may_not(built, statement):
    with pytest.raises(REFUSED):
        run(built, APPLICATION, statement)


@pytest.mark.parametrize(
    "statement",
    [text for text in STATEMENTS if "audit_add_partition" not in text and "DELETE FROM audit_pending" not in text],
)
def test_nor_may_the_sequencer_but_for_what_it_is_there_for(built, statement):
    writes = [f"INSERT INTO audit_{table}" for table in ("leaf", "tile", "checkpoint", "bundle_note", "rotation")]
    if not statement.startswith((*writes, "COPY audit_leaf", "UPDATE audit_tile", "UPDATE audit_state")):
        with pytest.raises(REFUSED):
            run(built, SEQUENCER, statement)


@pytest.mark.parametrize(
    "statement", [*STATEMENTS, INSERT.format("", "", ""), *(f"SELECT FROM {table}" for table in TABLES)]
)
@pytest.mark.parametrize("role", [AUDITOR, AML_AUDITOR])
def test_an_auditors_login_touches_no_table(built, role, statement):
    with pytest.raises(REFUSED):
        run(built, role, statement, tables=True)


@pytest.mark.parametrize(("role", "other"), [(AUDITOR, AML_AUDITOR), (AML_AUDITOR, AUDITOR)])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {own}.audit_state SET size = 0",
        "DELETE FROM {own}.audit_pending",
        "INSERT INTO {own}.audit_pending VALUES (1, 'main')",
        "CREATE OR REPLACE VIEW {own}.audit_entry AS SELECT * FROM public.audit_entry",
        "ALTER VIEW {own}.audit_entry SET (security_barrier = false)",
        "DROP VIEW {own}.audit_tile",
        "CREATE TABLE {own}.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SELECT * FROM {other}.audit_entry",
    ],
)
def test_nor_does_it_do_anything_to_its_views_but_read(built, role, other, statement):
    with pytest.raises(REFUSED):
        run(built, role, statement.format(own=role, other=other))


def test_each_auditors_login_reads_its_log_alone(house):
    """No row tells the one what is in the other, an error's words least of all. (Gaps between ids tell how many.)"""
    house.write(2, note="main words")
    house.write(3, note="aml words", log="aml")
    house.sequence()
    house.write(1, log="aml")
    house.sql("INSERT INTO audit_rotation (log, number, size, note) VALUES ('main', 1, 1, 'n'), ('aml', 1, 1, 'n')")
    for role, log, other in ((AUDITOR, "main", "aml"), (AML_AUDITOR, "aml", "main")):
        for table in set(TABLES) - {"audit_sealed", "audit_anchor", "audit_bundle_note", "audit_pending"}:
            wanted = house.sql(f"SELECT count(*) FROM {table} WHERE log = %s", log)
            assert wanted[0][0] > 0
            assert house.sql(f"SELECT count(*) FROM {table}", role=role) == wanted, table
            assert house.sql(f"SELECT 1 FROM {table} WHERE log <> %s", log, role=role) == []
        sealed = "SELECT ciphertext FROM audit_sealed s JOIN audit_entry e ON e.id = entry_id WHERE log = %s ORDER BY 1"
        mine = house.sql("SELECT ciphertext FROM audit_sealed ORDER BY 1", role=role)
        assert mine and mine == house.sql(sealed, log)
        assert house.sql("SELECT 1 FROM audit_entry WHERE 1 / (log <> %s)::int = 1", other, role=role)
    assert house.sql("SELECT log FROM audit_pending", role=AUDITOR) == []
    assert house.sql("SELECT log FROM audit_pending", role=AML_AUDITOR) == [("aml",)]


def test_an_auditors_login_reads_a_tile_of_the_log_by_its_ids(house):
    """Not the whole log again for each of them."""
    house.write(30)
    house.sequence()
    with psycopg.connect(house.cluster.url(AUDITOR, house.name)) as connection:
        connection.execute("SET enable_seqscan = off")  # of few rows it would read all
        plan = "".join(line for (line,) in connection.execute(f"EXPLAIN {LEAVES}", ["main", 0, 256]).fetchall())
    assert re.search(r"Index Cond: \([^>]*\bid = ANY", plan), plan
    assert re.search(r"Index Cond: \([^>]*\bentry_id = ANY", plan), plan


@pytest.mark.parametrize("role", [APPLICATION, SEQUENCER, AUDITOR, AML_AUDITOR])
def test_nobody_gives_himself_rights(built, role):
    """PostgreSQL answers such a GRANT with a warning only."""
    run(built, role, "GRANT UPDATE ON audit_entry TO mizan_app; COMMIT")
    cluster, name = built
    with psycopg.connect(cluster.url(role, name)) as connection:
        assert weaknesses(connection.cursor()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET matter = 'x'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry_p00000",
        "TRUNCATE audit_entry",
        "TRUNCATE audit_entry_p00000",
        "TRUNCATE audit_leaf",
        "TRUNCATE audit_pending",
        "UPDATE audit_leaf SET seq = seq + 1",
        "DELETE FROM audit_checkpoint",
        "DELETE FROM audit_tile",
        "UPDATE audit_tile SET data = sha256('x')",
        "UPDATE audit_state SET size = size - 1",
        "DELETE FROM audit_state",
        "UPDATE audit_sealed SET kid = 'x'",
        "DELETE FROM audit_sealed",
        "SET mizan.shredding = '1'; UPDATE audit_sealed SET kid = 'x'",
    ],
)
def test_triggers_stop_even_the_owner(house, statement):
    house.write(3, note="sealed")
    house.sequence()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="grows"):
        house.owner_sql(statement)
    assert house.verify().ok


def test_a_detached_partition_keeps_its_triggers(house):
    house.write(1)
    house.owner_sql("ALTER TABLE audit_entry DETACH PARTITION audit_entry_p00000")
    for statement in ("DELETE FROM audit_entry_p00000", "TRUNCATE audit_entry_p00000"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            house.owner_sql(statement)


def test_session_replication_role_switches_no_trigger_off(house):
    house.write(1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="grows"):
        house.sql("SET session_replication_role = replica; DELETE FROM audit_entry")


def test_the_ciphertexts_of_one_subject_can_go_with_its_key(house):
    (kept,) = house.write(1, note="stays")
    house.sql("INSERT INTO audit_read_mark VALUES ('a', 'b', 'c', now())")
    house.sequence()
    assert house.owner_sql("SELECT audit_delete_sealed('customer', 'nobody')") == [(0,)]
    assert house.sql("SELECT count(*) FROM audit_sealed") == [(1,)]


def test_a_partition_of_ten_million_is_always_ready_ahead(house):
    assert partitions(house) == [
        "audit_entry_p00000",
        "audit_entry_p00001",
        "audit_sealed_p00000",
        "audit_sealed_p00001",
    ]
    house.sql("SELECT setval('audit_entry_id_seq', 9999998)")
    house.write(5, note="over the edge")
    assert house.sql("SELECT audit_add_partition()", role=SEQUENCER) == [(1,)]
    assert house.sql("SELECT audit_add_partition()", role=SEQUENCER) == [(0,)]
    assert "audit_entry_p00002" in partitions(house)
    house.sequence()
    report = house.verify()
    assert report.ok
    assert report.entries >= 5
    assert house.sql("SELECT count(*) FROM audit_entry_p00001") > [(0,)]
    for statement in STATEMENTS:
        if "p00000" in statement:
            with pytest.raises(REFUSED):
                house.sql(statement.replace("p00000", "p00002"), role=APPLICATION)


def partitions(house):
    found = house.sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[]) ORDER BY 1",
        list(PARTITIONED),
    )
    return [name for (name,) in found]


def test_the_check_of_the_database_refuses_a_log_without_protection(house):
    call_command("check", databases=["default"])
    house.sql("ALTER TABLE audit_leaf DISABLE TRIGGER audit_keep")
    with pytest.raises(SystemCheckError, match=r"audit\.E001.*the trigger audit_keep on audit_leaf"):
        call_command("check", databases=["default"])


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("ALTER ROLE mizan_sequencer CREATEROLE", "mizan_sequencer is allowed to make roles"),
        ("ALTER ROLE mizan_app BYPASSRLS", "mizan_app is past the rules of rows"),
        ("ALTER ROLE mizan_auditor REPLICATION", "mizan_auditor is allowed to replicate"),
        ("ALTER ROLE mizan_app SUPERUSER", "mizan_app is a superuser"),
        ("GRANT mizan_owner TO mizan_app", "mizan_app is a member of mizan_owner"),
        ("GRANT pg_read_all_data TO mizan_auditor", "mizan_auditor is a member of pg_read_all_data"),
    ],
)
def test_a_role_that_could_do_more_than_its_rights_say_is_named(built, power, said):
    """Roles are the whole cluster's, so nothing of it is committed."""
    cluster, name = built
    with psycopg.connect(cluster.url(SUPERUSER, name)) as connection:
        connection.execute(power)
        assert said in weaknesses(connection.cursor())
        connection.rollback()


def test_the_protection_is_complete_and_everyone_can_check_it(built):
    cluster, name = built
    for role in (OWNER, APPLICATION, SEQUENCER, AUDITOR, AML_AUDITOR):
        with psycopg.connect(cluster.url(role, name)) as connection:
            assert weaknesses(connection.cursor()) == []
