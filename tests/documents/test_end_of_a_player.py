"""The end of a player's data in the running product, in its backups, and after a restore."""

import io
import json
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from audit import context
from audit.actors import system
from audit.models import Entry
from audit.queries import standing as log_standing
from audit.record import ObjectRef, additional_data, record
from audit.sealer import Sealed, sealer
from audit.verifier import verify as released
from compliance.embedded.postgres import OWNER
from compliance.keys import rotation, services, tombstones
from compliance.keys.models import SubjectKey
from compliance.keys.services import Erased, KeyUnavailable, Shredded, ensure_subject_key, seal, shred_subject
from compliance.outbox.delivery import deliver
from compliance.outbox.models import OutboxRow
from compliance.people.services import create_user, join
from compliance.proposals.services import confirm, propose
from documents.keeping import erasure, holds
from documents.keeping.certificate import certificate
from documents.keeping.models import Erasure
from documents.models import Document
from documents.services import receive
from documents.storage import storage
from documents.uploads import seal_file
from tests.documents import samples
from tests.house import a_house
from tests.journeys.people import Client, eventually
from tests.waiting import PATIENCE
from tests.world import PASSWORD, a_world

LONG_AGO = date(2012, 5, 31)


@pytest.fixture
def vault():
    """The product's own vault: the running worker removes the files."""


def officers(world):
    out = []
    for name in ("Frank", "Grace"):
        email = f"{name.lower()}-{uuid.uuid4().hex[:6]}@example.com"
        out.append(create_user(email=email, name=name, password=PASSWORD, by=system()))
        join(out[-1], world.team, "privacy_officer", by=system())
    return out


def a_player_of_old(world, frank):
    """A player with a document, whose every record is older than any period. Straight in the tables: it is history."""
    customer = world.account(national_id="10000000146").customer
    upload = seal_file(customer=customer, name="front.jpg", declared="", stream=io.BytesIO(samples.photo()))
    document = receive(customer=customer, upload=upload, by=world.alice)
    for table, column, where in (
        ("people_account", "created_at", "customer_id"),
        ("people_customer", "created_at", "id"),
        ("documents_document", "received_at", "customer_id"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = '2012-05-01' WHERE {where} = %s", [customer.pk])
    holds.end_relationship(customer, on=LONG_AGO, by=frank)
    return customer, document


def erase(customer, frank, grace):
    confirm(propose(erasure.SHRED, customer, by=frank, reason="erasure_request"), by=grace)
    return Erasure.objects.get(customer=customer)


# ---------------------------------------------------------------------------------------------- in the running product
@pytest.mark.slow
def test_two_persons_erase_a_player_the_worker_ends_it_and_the_log_still_proves_itself(committed, tmp_path):
    world = a_world()
    frank, grace = officers(world)
    customer, document = a_player_of_old(world, frank)
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    address = f"/approvals/{proposal.pk}/"
    status, page = Client(committed, grace).post(f"{address}confirm/", page=address)
    assert status == 302, page
    made = eventually(lambda: Erasure.objects.filter(customer=customer, finished_at__isnull=False).first())
    assert (made.maker, made.decided_by) == (f"staff:{frank.pk}", f"staff:{grace.pk}")
    with pytest.raises(Exception, match=str(document.pk)):
        storage().open(document.pk)
    with pytest.raises(Shredded):
        services.key_of_version(customer.audit_subject, 1)
    assert str(customer.pk) in {stone.subject_id for stone in tombstones.read()}
    # What the log says of the erased player verifies offline, by the verifier alone.
    committed.manage("audit", "export", "--customer", str(customer.pk), "--reason", "test", "--to", str(tmp_path / "b"))
    verify = tmp_path / "verify.py"
    verify.write_bytes(Path(released.__file__).read_bytes())
    told = subprocess.run(
        [sys.executable, "-I", "-S", str(verify), str(tmp_path / "b"), "--vkey", log_standing().vkey, "--json"],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    entries = (tmp_path / "b" / "entries.jsonl").read_text()
    assert "keys.shred" in entries and "keeping.finish_erasure" in entries and "Yıldırım" not in entries


# ---------------------------------------------------------------------------------------------------- in the backups
@pytest.fixture
def house(migrated, tmp_path, django_db_setup, django_db_blocker, in_context):
    with django_db_blocker.unblock(), a_house(migrated, tmp_path) as made:
        yield made


def sealed_parts(cluster, name, customer):
    """(entry id, kid, ciphertext) of the log about this customer, and the key rows, as a stolen dump holds them."""
    with psycopg.connect(cluster.url(OWNER, name)) as direct:
        return direct.execute(
            "SELECT version, epoch, wrapped FROM keys_subjectkey WHERE subject_id = %s AND wrapped IS NOT NULL",
            [str(customer.pk)],
        ).fetchall()


def words_in_the_log(customer, entry_id):
    """The note of an entry about this customer, out of its sealed part in the database that is connected."""
    row = Entry.objects.get(event_id=entry_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ciphertext FROM audit_sealed WHERE entry_id = %s", [row.id])
        ciphertext = bytes(cursor.fetchone()[0])
    subject, said = customer.audit_subject, row.facts["sealed"]
    sealed = Sealed(said["kid"], said["alg"], ciphertext)
    return json.loads(sealer().open(subject, entry_id, additional_data("main", entry_id, subject), sealed))["note"]


def finish():
    for row in OutboxRow.objects.filter(kind=erasure.FINISH, done_at=None):
        assert deliver(row.pk), OutboxRow.objects.get(pk=row.pk).last_error


def test_when_the_epoch_is_destroyed_the_player_is_dead_in_every_backup_and_the_certificate_says_since_when(
    house, tmp_path, capsys
):
    world = a_world()
    frank, grace = officers(world)
    customer, _document = a_player_of_old(world, frank)
    sealed = seal(customer.audit_subject, "note", b"hello")
    with transaction.atomic():
        about = {"about": ObjectRef("route", "x"), "subject": customer.audit_subject}
        entry = record("access.deny", by=system(), note="words of the log", **about)
    dump = house.dump()
    try:
        erase(customer, frank, grace)
        finish()
        made = Erasure.objects.get(customer=customer)
        before = certificate(made)["backups"]
        assert before["dead"] is False and before["waiting_for"] == ["file: epoch 1"]
        # Until then whoever has the old dump and the key file reads it.
        with a_house(house.cluster, tmp_path, database_name=dump):
            assert services.open_sealed(customer.audit_subject, "note", sealed) == b"hello"
            assert words_in_the_log(customer, entry) == "words of the log"
        services._unwrapped = services._Unwrapped()
        call_command("keys", "rotate", "--destroy-old", verbosity=0)
        after = certificate(made)["backups"]
        assert after["dead"] is True
        assert datetime.fromisoformat(after["since"]) >= made.shredded_at.replace(microsecond=0)
        with a_house(house.cluster, tmp_path, database_name=dump), pytest.raises(KeyUnavailable, match="no epoch 1"):
            services.open_sealed(customer.audit_subject, "note", sealed)
        with a_house(house.cluster, tmp_path, database_name=dump), pytest.raises(KeyUnavailable, match="no epoch 1"):
            words_in_the_log(customer, entry)
        assert sealed_parts(house.cluster, dump, customer), "the dump did hold the wrapped key"
        capsys.readouterr()
        pdf = tmp_path / "certificate.pdf"
        call_command("keys", "certificate", str(customer.pk), "--pdf", str(pdf), "--json")
        told = json.loads(capsys.readouterr().out)
        assert told["certificate"]["backups"]["dead"] is True
        assert pdf.read_bytes().startswith(b"%PDF-") and pdf.stat().st_size > 2000
    finally:
        connections.close_all()
        house.cluster.drop_database(dump)


def test_after_a_restore_nothing_is_served_before_the_shreds_are_replayed(house, tmp_path, client, capsys):
    world = a_world()
    frank, grace = officers(world)
    customer, document = a_player_of_old(world, frank)
    sealed = seal(customer.audit_subject, "note", b"hello")
    dump = house.dump()
    try:
        erase(customer, frank, grace)
        finish()
        client.force_login(world.alice)
        assert client.get("/cases/").status_code == 200
        with a_house(house.cluster, tmp_path, database_name=dump):
            assert SubjectKey.objects.get(subject_id=str(customer.pk)).wrapped is not None
            client.force_login(world.alice)
            client.handler._middleware_chain = None  # a web server that started on the restored database
            refused = client.get("/cases/")
            assert refused.status_code == 503 and refused["Retry-After"]
            assert customer.full_name not in refused.content.decode()
            api = client.get("/api/v1/ping")
            assert api.status_code == 503 and api.json()["code"] == "unavailable"
            ready = client.get("/readyz").json()
            assert ready["checks"]["shreds"] == "failing" and ready["checks"]["keys"] == "ok"
            capsys.readouterr()
            call_command("keys", "replay-shreds", "--json")
            told = json.loads(capsys.readouterr().out)
            assert (told["replayed"], told["keys"], told["problems"]) == (1, 1, [])
            client.handler._middleware_chain = None
            assert client.get("/cases/").status_code == 200
            with pytest.raises(Shredded):
                services.open_sealed(customer.audit_subject, "note", sealed)
            finish()
            assert Document.objects.get(pk=document.pk).state == "destroyed"
            call_command("keys", "replay-shreds", "--json")
            assert json.loads(capsys.readouterr().out)["replayed"] == 0
    finally:
        connections.close_all()
        house.cluster.drop_database(dump)


def test_a_shred_and_a_new_seal_at_once_never_leave_a_readable_value(house):
    """Whoever seals while the key is destroyed is refused, or sealed under the destroyed one."""
    subject = a_world().account().customer.audit_subject
    ensure_subject_key(subject)
    sealed, started = [], threading.Event()

    def writer():
        with context.use(context.new("test")), suppress(Erased):
            while True:
                sealed.append(seal(subject, "note", b"hello"))
                started.set()
        connection.close()

    threads = [threading.Thread(target=writer) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert started.wait(PATIENCE)
    shred_subject(subject, by=system(), reason="erasure")
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "nobody may go on sealing"
    assert sealed
    for value in sealed:
        with pytest.raises(Shredded):
            services.open_sealed(subject, "note", value)
    assert SubjectKey.objects.filter(subject_id=subject.id).count() == 1
    assert rotation.verify() >= 1
