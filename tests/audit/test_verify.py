"""Every attack of the design's list, made as a DBA would make it, is found and named with the first bad entry."""

import json
import shutil

import pytest

from audit.actors import INSTALLATION
from audit.models import Entry
from tests.audit.conftest import COPY, FOREIGN, kinds


@pytest.fixture
def log(house):
    """Sixty entries, placed and signed; the tree holds a few more that the sequencer wrote itself."""
    house.write(30)
    house.sequence()
    house.write(30, note="a sealed word")
    house.sequence()
    assert house.verify().ok
    return house


def test_an_untouched_log_agrees(log):
    report = log.verify()
    assert kinds(report) == set()
    assert report.entries >= 60
    assert report.signed_size == report.entries
    assert report.line.startswith(
        f"main: {report.entries} entries, tree and {report.checkpoints} checkpoints agree, signed to"
    )
    assert report.line.endswith("; not anchored outside")


def entry_at(log, seq):
    return log.sql("SELECT entry_id FROM audit_leaf WHERE log = 'main' AND seq = %s", seq)[0][0]


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("UPDATE audit_entry SET entry = {forged} WHERE id = {id}", "changed"),
        ("UPDATE audit_entry SET matter = 'KYC-26-000001-0' WHERE id = {id}", "changed_column"),
        ("UPDATE audit_entry SET actor_id = 'somebody' WHERE id = {id}", "changed_column"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = {id}", "changed_column"),
        ("UPDATE audit_entry SET event_id = gen_random_uuid() WHERE id = {id}", "changed_column"),
        ("UPDATE audit_sealed SET ciphertext = ciphertext || '\\x00' WHERE entry_id = {id}", "changed_sealed"),
        ("UPDATE audit_sealed SET kid = 'staff/1' WHERE entry_id = {id}", "changed_sealed"),
        ("DELETE FROM audit_sealed WHERE entry_id = {id}", "removed_sealed"),
        ("DELETE FROM audit_entry WHERE id = {id}", "removed"),
        ("DELETE FROM audit_leaf WHERE entry_id = {id}", "removed"),
    ],
)
def test_a_change_of_one_entry_is_named_with_its_place(log, attack, found):
    at = entry_at(log, 50)
    log.tamper(attack.format(id=at, forged=log.forged(at)))
    report = log.verify()
    assert found in kinds(report)
    assert report.first_bad == 50


def test_swapped_entries_are_found_at_the_first_of_them(log):
    log.tamper(
        "UPDATE audit_leaf SET entry_id = -entry_id WHERE log = 'main' AND seq IN (20, 40);"
        f"UPDATE audit_leaf SET entry_id = {entry_at(log, 40)} WHERE log = 'main' AND seq = 20;"
        f"UPDATE audit_leaf SET entry_id = {entry_at(log, 20)} WHERE log = 'main' AND seq = 40"
    )
    report = log.verify()
    assert "changed" in kinds(report)
    assert report.first_bad == 20


def test_an_entry_inserted_by_sql_is_flagged_by_the_sequencer_and_found(log):
    log.sql(FOREIGN)
    size = log.verify().entries
    log.sequence()
    report = log.verify()
    assert "inserted" in kinds(report)
    assert report.first_bad == size
    assert log.sql("SELECT flag FROM audit_leaf WHERE log = 'main' AND seq = %s", size) == [("no_mac",)]
    assert log.sql("SELECT count(*) FROM audit_entry WHERE action = 'audit.flag'") == [(1,)]


def test_a_copy_of_an_entry_is_flagged_and_found(log):
    log.sql(f"{COPY} WHERE id = 5")
    size = log.verify().entries
    log.sequence()
    report = log.verify()
    assert "double" in kinds(report)
    assert report.first_bad == size


def test_an_entry_changed_before_it_got_its_place_is_found_by_its_mac(house):
    house.write(3)
    house.tamper(f"UPDATE audit_entry SET entry = {house.forged(2)} WHERE id = 2")
    house.sequence()
    report = house.verify()
    assert kinds(report) == {"inserted"}
    assert house.sql("SELECT flag FROM audit_leaf WHERE entry_id = 2") == [("wrong_mac",)]


def test_a_tree_rewritten_with_its_entries_no_longer_agrees_with_the_checkpoints(log):
    """A DBA who changes an entry, its hash and every tile above, but has no key."""
    entry = entry_at(log, 10)
    log.tamper(
        f"UPDATE audit_entry SET entry = {log.forged(entry)} WHERE id = {entry};"
        "UPDATE audit_tile SET data = overlay(data PLACING sha256('\\x00'::bytea || "
        f"(SELECT entry FROM audit_entry WHERE id = {entry})) FROM 10 * 32 + 1 FOR 32)"
        " WHERE log = 'main' AND level = 0 AND idx = 0"
    )
    report = log.verify()
    assert {"rewritten", "inserted"} <= kinds(report)
    assert report.first_bad == 0  # nothing signed lies before it


def test_a_cut_tail_is_found(log):
    size = log.verify().entries
    log.tamper(
        f"DELETE FROM audit_leaf WHERE log = 'main' AND seq >= {size - 10};"
        f"UPDATE audit_tile SET data = substring(data FROM 1 FOR {(size - 10) * 32}) WHERE log = 'main' AND level = 0;"
        f"DELETE FROM audit_checkpoint WHERE log = 'main' AND size > {size - 10};"
        "DELETE FROM audit_entry WHERE id IN (SELECT e.id FROM audit_entry e WHERE e.log = 'main' AND NOT EXISTS"
        " (SELECT FROM audit_leaf l WHERE l.entry_id = e.id));"
        f"UPDATE audit_state SET size = {size - 10}, signed_size = 0, note = NULL WHERE log = 'main'"
    )
    report = log.verify()
    assert "cut" in kinds(report)
    assert "the signer's memory" in next(finding.text for finding in report.findings if finding.kind == "cut")


def test_a_checkpoint_that_somebody_made_up_is_found(log):
    log.tamper("UPDATE audit_checkpoint SET note = replace(note, E'\\n', E'\\n ') WHERE log = 'main'")
    assert "bad_checkpoint" in kinds(log.verify())


def test_a_foreign_key_in_the_database_is_found(log):
    log.tamper("UPDATE audit_state SET vkey = (SELECT vkey FROM audit_state WHERE log = 'aml') WHERE log = 'main'")
    assert "foreign_key" in kinds(log.verify())


def test_pending_rows_that_were_deleted_are_found(log):
    log.write(2)
    log.tamper("DELETE FROM audit_pending")
    assert "lost" in kinds(log.verify())


def test_a_stopped_sequencer_is_found(log):
    log.write(2)
    log.tamper("UPDATE audit_entry SET created_at = now() - interval '2 minutes'")
    report = log.verify()
    assert "sequencer_stopped" in kinds(report)
    assert report.waiting == 2


def test_a_clock_set_back_is_told(house):
    house.write(2)
    house.sequence()
    house.tamper("UPDATE audit_state SET latest_at = now() + interval '2 hours'")
    house.write(1)
    house.sequence()
    (told,) = Entry.objects.filter(action="audit.regress", log="main")
    assert 7000 < told.facts["data"]["seconds"] < 7300


@pytest.mark.parametrize(
    "weakening",
    [
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_keep",
        "ALTER TABLE audit_entry_p00000 DISABLE TRIGGER audit_keep_here",
        "ALTER TABLE audit_entry_p00001 ENABLE REPLICA TRIGGER audit_keep_whole_here",
        "DROP TRIGGER audit_keep_whole ON audit_leaf",
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_await",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "GRANT UPDATE ON audit_entry TO mizan_app",
        "GRANT DELETE ON audit_leaf TO mizan_auditor",
        "GRANT UPDATE (matter) ON audit_entry TO mizan_app",
        "GRANT INSERT (id) ON audit_entry TO mizan_app",
        "GRANT UPDATE ON audit_leaf TO mizan_sequencer",
        "GRANT INSERT (entry_id, kid, alg, ciphertext) ON audit_sealed TO mizan_auditor",
        "GRANT SELECT ON audit_entry_p00000 TO mizan_auditor",
        "ALTER TABLE audit_tile OWNER TO mizan_sequencer",
        "GRANT SELECT (object_id) ON audit_entry TO mizan_auditor",
        "GRANT USAGE ON SCHEMA mizan_aml_auditor TO mizan_auditor",
        "GRANT SELECT ON mizan_aml_auditor.audit_leaf TO mizan_auditor",
        "GRANT CREATE ON SCHEMA mizan_auditor TO mizan_auditor",
        "CREATE OR REPLACE VIEW mizan_auditor.audit_tile WITH (security_barrier) AS SELECT * FROM audit_tile",
        "ALTER VIEW mizan_auditor.audit_state SET (security_barrier = false)",
        "ALTER VIEW mizan_auditor.audit_state RENAME TO audit_states",
        "ALTER VIEW mizan_aml_auditor.audit_sealed OWNER TO mizan_app",
    ],
)
def test_a_weakened_protection_is_found(house, weakening):
    house.write(1)
    house.sequence()
    assert kinds(house.verify()) == set()
    house.sql(weakening)
    assert kinds(house.verify()) == {"protection"}


def test_the_sequencer_tells_the_log_that_the_protection_is_weak(house):
    house.sql("DROP TRIGGER audit_keep_whole ON audit_leaf")
    house.sequence()
    assert house.sql("SELECT count(*) FROM audit_entry WHERE action = 'audit.weaken' AND log = 'main'") == [(1,)]


def test_without_the_key_folder_it_says_what_it_could_not_check(log):
    shutil.rmtree(log.keys)
    report = log.verify()
    assert report.ok
    assert "signer_unknown" in {finding.kind for finding in report.findings}


def test_entries_without_a_subject_are_sealed_for_the_installation(log):
    about = log.sql("SELECT entry_id FROM audit_sealed")
    assert about
    assert {json.loads(log.bytes_of(found))["sealed"]["kid"] for (found,) in about} == {f"{INSTALLATION.kind}/1"}
