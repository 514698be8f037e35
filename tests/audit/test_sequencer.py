"""Each entry gets exactly one place, whatever dies, comes late, or comes twice."""

import threading
import time

import psycopg
import pytest
from django.db import connections, transaction

from audit import context
from audit.actors import system
from audit.checkpoints import KeyProblem, Signer
from audit.database import connect
from audit.models import Entry
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.sequencer import LostLeadership, Sequencer
from compliance.embedded.postgres import SEQUENCER
from tests import database
from tests.audit.conftest import FOREIGN, Process, kinds
from tests.waiting import PATIENCE, wait_until


def places(house, log="main"):
    return [seq for (seq,) in house.sql("SELECT seq FROM audit_leaf WHERE log = %s ORDER BY seq", log)]


def without_place(house):
    return house.sql(
        "SELECT count(*) FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id WHERE l.seq IS NULL"
    )[0][0]


def test_entries_get_their_places_in_the_order_of_their_commits(house):
    ids = house.write(700)
    house.sequence()
    placed = house.sql("SELECT event_id FROM audit_leaf WHERE log = 'main' AND event_id = ANY(%s) ORDER BY seq", ids)
    assert [event_id for (event_id,) in placed] == ids
    assert places(house) == list(range(len(places(house))))
    assert without_place(house) == 0
    assert house.verify().ok


def test_the_two_logs_have_trees_and_keys_of_their_own(house):
    house.write(3)
    house.write(2, log="aml")
    house.sequence()
    assert house.verify("main").ok
    assert house.verify("aml").ok
    assert standing("main").vkey != standing("aml").vkey
    aml = house.sql("SELECT count(*) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id WHERE l.log <> e.log")
    assert aml == [(0,)]


@pytest.mark.parametrize("seconds", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_transaction_that_commits_late_is_not_lost(house, seconds):
    """What reads `id > last` loses it: the entry's id is lower than what has its place already."""
    with (
        house.sequencer() as (sequencer, connection),
        psycopg.connect(house.cluster.url("mizan_app", house.name)) as late,
    ):
        late.execute(FOREIGN)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            house_write_as(house, 1)
            sequencer.tick(connection)
            time.sleep(0.05)
        assert without_place(house) == 0  # as others see it, it does not exist yet
        late.commit()
        sequencer.tick(connection)
    assert house.sql(
        "SELECT count(*) FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id WHERE e.actor_id = 'stranger'"
    ) == [(1,)]
    assert places(house) == list(range(len(places(house))))


def house_write_as(house, count):
    """Entries while this process is connected as the sequencer, which may write its own."""
    for _ in range(count):
        with transaction.atomic():
            record("audit.beat", by=system(), about=ObjectRef("log", "main"), details={"size": 1})


def test_only_one_sequencer_leads(house):
    with house.sequencer(), connect() as connection:
        assert not Sequencer(folder=house.keys, tick=0.05).lead(connection)


def test_a_sequencer_that_lost_its_lead_and_does_not_know_it_writes_nothing(house):
    with house.sequencer() as (old, connection):
        connection.execute("SELECT pg_advisory_unlock_all()")
        with connect() as another:
            new = Sequencer(folder=house.keys, tick=0.05)
            assert new.lead(another)
            house_write_as(house, 3)
            with pytest.raises(LostLeadership):
                old.tick(connection)
            assert places(house) == []
            while new.tick(another):
                pass
    assert without_place(house) <= 2  # what the new one wrote itself since its last tick
    house.sequence()
    assert house.verify().ok


def test_a_log_never_gets_a_second_key(house):
    house.write(1)
    house.sequence()
    for lost in ("main.key", "main.state"):
        (house.keys / lost).rename(house.keys / f"{lost}.away")
        with pytest.raises(KeyProblem, match=lost), house.sequencer():
            pass
        (house.keys / f"{lost}.away").rename(house.keys / lost)
    with house.sequencer():
        pass


def test_after_an_older_backup_is_restored_the_signer_refuses_and_says_why(house):
    house.write(5)
    house.sequence()
    with database.a_copy(house.cluster, "older") as backup:
        house.cluster.drop_database(backup)
        connections["default"].close()
        connections["log"].close()
        house.cluster.create_database(backup, template=house.name)
        house.write(20)
        house.sequence()
        restored = type(house)(house.cluster, backup, house.keys)
        with database.connected_to(backup, cluster=house.cluster):
            restored.sequence()
            now = standing("main")
            assert "older backup was restored" in now.refusal
            assert not now.alive
            assert {"signer_refuses", "cut"} <= kinds(restored.verify())
            restored.write(60)
            restored.sequence()
            assert "does not continue" in standing("main").refusal
            assert {"signer_refuses", "rewritten"} <= kinds(restored.verify())
            assert standing("main").signed_size < standing("main").size


def test_an_hour_brings_a_sign_of_life_in_both_logs(house):
    house.sequence()
    beats = Entry.objects.filter(action="audit.beat")
    before = beats.count()
    with house.sequencer() as (sequencer, connection):
        sequencer._hour_due = time.monotonic() + 3600
        sequencer.tick(connection)
        assert beats.count() == before
        sequencer._hour_due = 0
        sequencer.tick(connection)
    assert sorted(beats.values_list("log", flat=True))[: before + 2].count("aml") == before // 2 + 1


def test_each_look_at_the_protection_is_recorded(house):
    house.sequence()
    beats = Entry.objects.filter(action="audit.beat", log="main").order_by("id")
    assert beats.last().facts["data"]["protection"] == "complete"
    house.sql("ALTER TABLE audit_leaf DISABLE TRIGGER audit_keep")
    house.sequence()
    assert "audit_keep on audit_leaf is missing or disabled" in beats.last().facts["data"]["protection"]
    assert Entry.objects.filter(action="audit.weaken").count() == 2  # in both logs


def test_a_partition_is_made_ahead_and_recorded(house):
    house.sequence()
    assert Entry.objects.filter(action="audit.add_partition").count() == 0
    house.sql("SELECT setval('audit_entry_id_seq', 9999998)")
    house.write(5)
    house.sequence()
    (made,) = Entry.objects.filter(action="audit.add_partition", log="main")
    assert made.facts["data"]["rooms"] == 1
    house.sequence()
    assert Entry.objects.filter(action="audit.add_partition", log="main").count() == 1
    assert house.verify().ok


def test_the_command_places_signs_and_stops_in_order(house):
    process = Process(house)
    try:
        wait_until(lambda: standing("main").alive)
        house.write(20)
        wait_until(lambda: without_place(house) == 0 and standing("main").signed_size == standing("main").size)
        assert standing("main").waiting == 0
    finally:
        status, said = process.end()
    assert status == 0, said
    assert Entry.objects.filter(action="audit.stop").count() == 2
    report = house.verify()
    assert report.ok
    assert report.signed_size == report.entries
    assert without_place(house) == 0


def test_it_says_by_name_that_the_key_is_missing(house):
    house.write(1)
    house.sequence()
    (house.keys / "main.key").unlink()
    process = Process(house)
    status, said = process.wait()
    assert status == 1
    assert "main.key" in said


def test_two_at_once_and_the_second_takes_over(house):
    first, second = Process(house), Process(house)
    try:
        wait_until(lambda: standing("main").alive)
        house.write(5)
        first.kill()
        wait_until(lambda: without_place(house) == 0)
    finally:
        second.end()
    assert house.verify().ok


def test_two_at_once_under_load_give_each_entry_one_place(house):
    """Both run while four write, and whoever leads is cut off three times: either goes on, and nothing is lost."""
    house.sequence()
    with database.connected_to(house.name, role=SEQUENCER, cluster=house.cluster):
        both, enough = [Sequencer(folder=house.keys, tick=0.01) for _ in range(2)], threading.Event()
        wrote = []
        threads = [threading.Thread(target=in_its_own_context, args=(one.run,)) for one in both]
        writers = [threading.Thread(target=in_its_own_context, args=(keep_writing, wrote, enough)) for _ in range(4)]
        try:
            for thread in (*threads, *writers):
                thread.start()
            for _ in range(3):
                before, count = epoch(house), len(wrote)
                wait_until(lambda count=count: len(wrote) > count + 20)
                house.sql(CUT_OFF)
                wait_until(lambda before=before: epoch(house) > before)
        finally:
            enough.set()
            for writer in writers:
                writer.join()
            wait_until(lambda: without_place(house) == 0)
            for one in both:
                one.stop.set()
            for thread in threads:
                thread.join(PATIENCE)
    house.sequence()
    report = house.verify()
    assert report.ok, report.findings
    placed = house.sql("SELECT event_id FROM audit_leaf WHERE event_id = ANY(%s)", wrote)
    assert len(placed) == len(set(placed)) == len(wrote) > 60


CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def in_its_own_context(work, *given):
    with context.use(context.new("test")):
        try:
            work(*given)
        finally:
            connections.close_all()


def keep_writing(wrote, enough):
    while not enough.is_set():
        with transaction.atomic():
            entry = record("audit.beat", by=system(), about=ObjectRef("log", "main"), details={"size": 1})
        wrote.append(entry)
        time.sleep(0.005)


def epoch(house):
    return house.sql("SELECT max(epoch) FROM audit_state")[0][0]


def test_it_survives_the_loss_of_its_connections(house):
    process = Process(house)
    try:
        wait_until(lambda: standing("main").alive)
        for _ in range(3):
            its = "usename = 'mizan_sequencer' AND datname = current_database()"
            house.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {its}")
            house.write(5)
            wait_until(lambda: without_place(house) == 0)
    finally:
        status, said = process.end()
    assert status == 0, said
    assert house.verify().ok


def test_writers_are_not_slowed_by_a_sequencer_that_holds_nothing(house):
    """While a batch is being placed, writers go on: they share no lock."""
    house.write(50)
    done = threading.Event()

    def write():
        with psycopg.connect(house.cluster.url("mizan_app", house.name), options="-c lock_timeout=2s") as other:
            other.execute(FOREIGN)
        done.set()

    with house.sequencer() as (sequencer, connection), connection.transaction():
        sequencer._place(connection)
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(PATIENCE)
        assert done.is_set()


def test_the_key_folder_is_made_by_the_first_start_only(house):
    assert not house.keys.exists()
    house.sequence()
    assert Signer(house.keys, "main").signed()[0] == standing("main").signed_size
    assert Entry.objects.filter(action="audit.make_key").count() == 2
    house.sequence()
    assert Entry.objects.filter(action="audit.make_key").count() == 2
