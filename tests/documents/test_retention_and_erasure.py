"""From the end of a relationship to the certificate: periods, holds, two persons, the shred, the files, the backups."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.models import Case, Note
from cases.services import write_note
from cases.types.monitoring.rules.models import Snooze
from compliance.keys import tombstones
from compliance.keys.models import SubjectKey
from compliance.keys.services import Shredded, open_sealed, unwrap_document_key
from compliance.outbox.delivery import deliver
from compliance.outbox.models import OutboxRow
from compliance.people.models import Account, Customer, Licensee, RiskFact
from compliance.people.services import create_user, join, restrict
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm, propose
from documents.keeping import erasure, holds, reach, runs
from documents.keeping.models import Erasure, LegalHold, RelationshipEnd
from documents.keeping.standing import Outcome, standing_of
from documents.models import Document
from documents.storage import storage
from tests.world import PASSWORD, a_world

pytestmark = pytest.mark.django_db
LONG_AGO = date(2012, 5, 31)


@pytest.fixture
def stones(own_tombstones, settings):
    return settings.TOMBSTONES_FILE


@pytest.fixture
def world(in_context):
    return a_world()


def a_privacy_officer(world, name):
    user = create_user(email=f"{name}-{uuid.uuid4().hex[:6]}@example.com", name=name, password=PASSWORD, by=system())
    join(user, world.team, "privacy_officer", by=system())
    return user


@pytest.fixture
def frank(world):
    return a_privacy_officer(world, "Frank")


@pytest.fixture
def grace(world):
    return a_privacy_officer(world, "Grace")


@pytest.fixture
def player(world, bring):
    """A player with a national id, contacts, a document and a finished case with a note, all of it long ago."""
    case = world.verification(national_id="10000000146")
    bring(to=case.customer)
    note = write_note(case, text="He called on Monday.", by=world.alice)
    return long_ago(case.customer), note


def long_ago(customer):
    """Make every record of the customer's an old one, and the cases finished. Straight in the tables: it is history."""
    then = datetime(2012, 5, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_case SET opened_at = %s, closed_at = %s, outcome = 'approved', waiting_for = '',"
            " state = 'closed' WHERE customer_id = %s",
            [then, then, customer.pk],
        )
        for table in ("cases_note", "cases_message"):
            of = "case_id IN (SELECT id FROM cases_case WHERE customer_id = %s)"
            cursor.execute(f"UPDATE {table} SET written_at = %s WHERE {of}", [then, customer.pk])
        for table, column, where in (
            ("people_account", "created_at", "customer_id"),
            ("people_customer", "created_at", "id"),
            ("documents_document", "received_at", "customer_id"),
        ):
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {where} = %s", [then, customer.pk])
    return Customer.objects.get(pk=customer.pk)


def ended(customer, frank, on=LONG_AGO):
    holds.end_relationship(customer, on=on, by=frank)
    return customer


def finished(customer):
    """Deliver the outbox rows of the erasure, as a worker does."""
    while rows := list(OutboxRow.objects.filter(kind=erasure.FINISH, done_at=None)):
        for row in rows:
            assert deliver(row.pk), OutboxRow.objects.get(pk=row.pk).last_error
    return Erasure.objects.get(customer=customer)


# ------------------------------------------------------------------------------------------------------- standing
@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda customer, by: None, Outcome.DUE),
        (lambda customer, by: holds.place_hold(customer, by=by, reason="litigation"), Outcome.HELD),
        (lambda customer, by: RelationshipEnd.objects.all().delete(), Outcome.RELATIONSHIP),
        (lambda customer, by: holds.resume_relationship(customer, by=by), Outcome.RELATIONSHIP),
        (lambda customer, by: ended(customer, by, on=timezone.localdate() - timedelta(days=30)), Outcome.KEPT),
    ],
)
def test_what_keeps_a_players_records(player, frank, spoil, outcome):
    customer = ended(player[0], frank)
    spoil(customer, frank)
    standing = standing_of(customer)
    assert standing.outcome is outcome
    assert standing.is_due == (outcome is Outcome.DUE)
    assert standing.words


def test_the_period_runs_from_the_later_of_the_two_days(player, frank):
    customer = ended(player[0], frank, on=date(2018, 5, 31))
    standing = standing_of(customer)
    assert (standing.rule, standing.kept_until) == ("TR.RET.IDENTITY", date(2026, 6, 1))
    assert standing_of(customer, today=date(2026, 5, 31)).outcome is Outcome.KEPT
    assert standing_of(customer, today=date(2026, 6, 1)).outcome is Outcome.DUE
    Document.objects.filter(customer=customer).update(received_at=timezone.now())
    assert standing_of(customer).outcome is Outcome.KEPT


def test_an_open_case_keeps_the_records(player, frank, world):
    customer = ended(player[0], frank)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET closed_at = NULL, outcome = '' WHERE customer_id = %s", [customer.pk])
    assert standing_of(customer).outcome is Outcome.OPEN_MATTER


def test_an_erasure_says_nothing_of_the_aml_side(player, world):
    """Its rows are emptied and not counted; its facts do not move the day on which the records last lived."""
    customer = player[0]
    before, day = reach.last_day(customer), timezone.now() + timedelta(days=1)
    Snooze.objects.create(
        customer=customer, code="R01", reason="explained", note_sealed=b"x", until=day, made_by=world.alice
    )
    RiskFact.objects.create(
        customer=customer, code="x", source="x", known_on=day.date(), log="aml", details_sealed=b"x"
    )
    assert reach.last_day(customer) == before
    assert not {"monitoring_rules.Snooze", "people.RiskFact"} & reach.empty(customer).keys()
    assert Snooze.objects.get().note_sealed is None and RiskFact.objects.get().details_sealed is None
    RiskFact.objects.create(customer=customer, code="y", source="x", known_on=day.date())
    assert reach.last_day(customer) > before and reach.empty(customer)["people.RiskFact"] == 1


def under_the_law_of(jurisdiction, customer):
    Licensee.objects.filter(pk=customer.licensee_id).update(jurisdiction=jurisdiction)
    return Customer.objects.get(pk=customer.pk)


def test_where_nobody_verified_the_period_nothing_is_ever_erased(player, frank, world, capsys):
    customer = under_the_law_of("FR", ended(player[0], frank))
    assert standing_of(customer).outcome is Outcome.NOT_VERIFIED
    with pytest.raises(ConditionsNotMet):
        erasure.shred_when_due(customer)
    call_command("retention", "plan", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["due"], said["kept"]) == ([], {"not_verified": 1})
    assert list(said["no period verified"]) == [world.licensee.slug]
    assert "counsel" in said["no period verified"][world.licensee.slug]


def test_in_great_britain_records_go_five_years_after_the_end(player, frank):
    """GB.RET.IDENTITY, GB.RET.TRANSACTIONS."""
    customer = under_the_law_of("GB", ended(player[0], frank, on=date(2021, 11, 22)))
    before, after = (standing_of(customer, today=date(2026, 11, day)) for day in (22, 23))
    assert (before.outcome, before.kept_until) == (Outcome.KEPT, date(2026, 11, 23))
    assert (after.outcome, after.rule) == (Outcome.DUE, "GB.RET.IDENTITY")
    assert standing_of(customer, today=date(2026, 11, 21)).outcome is Outcome.NOT_VERIFIED, "its version of that day"


# ----------------------------------------------------------------------------------------------------- two persons
def test_nobody_erases_alone(player, frank):
    customer = ended(player[0], frank)
    with pytest.raises(SecondPersonNeeded):
        erasure.shred(customer, by=frank, reason="erasure_request")
    with pytest.raises(SecondPersonNeeded):
        erasure.shred(customer, by=frank, reason="erasure_request", proposal=str(uuid.uuid4()))
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    with pytest.raises(SamePerson):
        confirm(proposal, by=frank)
    assert SubjectKey.objects.filter(subject_id=str(customer.pk), wrapped__isnull=False).exists()


def test_only_privacy_officers_propose_it_and_only_what_is_due(player, frank, world):
    customer = player[0]
    with pytest.raises(Denied):
        propose(erasure.SHRED, customer, by=world.alice, reason="erasure_request")
    with pytest.raises(ConditionsNotMet, match="relationship ended"):
        propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    ended(customer, frank)
    holds.place_hold(customer, by=frank, reason="litigation")
    with pytest.raises(ConditionsNotMet, match="legal hold"):
        propose(erasure.SHRED, customer, by=frank, reason="erasure_request")


def test_the_page_says_what_will_happen_to_the_second_person_alone(player, frank, grace, client, world):
    customer = ended(player[0], frank)
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    address = reverse("proposals:detail", args=[proposal.pk])
    client.force_login(grace)
    page = client.get(address).content.decode()
    assert "TR.RET.IDENTITY" in page and "unreadable" in page
    client.force_login(world.bob)
    assert client.get(address).status_code == 404


def test_a_hold_protects_at_once_and_needs_two_to_be_lifted(player, frank, world):
    customer = ended(player[0], frank)
    hold = holds.place_hold(customer, by=frank, reason="litigation", note="Court of Istanbul")
    with pytest.raises(SecondPersonNeeded):
        holds.lift_hold(hold, by=frank, reason="no_longer_needed")
    with pytest.raises(Denied):
        holds.place_hold(customer, by=world.alice, reason="litigation")
    assert "Istanbul" not in bytes(LegalHold.objects.get().note_sealed).decode(errors="replace")


# --------------------------------------------------------------------------------------------------------- erasure
def test_an_erasure_takes_everything_that_names_the_player(player, frank, world):
    customer, note = ended(player[0], frank), player[1]
    document = Document.objects.get(customer=customer)
    account = Account.objects.get(customer=customer)
    restriction = restrict(customer.person, stops=["play"], cover_code="closed", source="gaming", by=system())
    sealed = bytes(Note.objects.get(pk=note.pk).text_sealed)
    made = erasure.shred_when_due(customer)
    # At once: key, names, indexes.
    with pytest.raises(Shredded):
        open_sealed(customer.audit_subject, "cases.note", sealed, aad=note.pk.bytes)
    with pytest.raises(Shredded):
        unwrap_document_key(customer.audit_subject, document.pk, bytes(document.dek_wrapped), document.key_version)
    customer.refresh_from_db()
    assert (customer.full_name, customer.national_id_index, customer.birth_date) == ("", None, None)
    account.refresh_from_db()
    assert (account.email_sealed, account.email_index, account.phone_index) == (None, None, None)
    assert made.finished_at is None
    # In the background: files and rows.
    done = finished(customer)
    assert done.finished_at and done.documents == 1
    document = Document.objects.get(pk=document.pk)
    assert (document.state, document.reason, document.dek_wrapped) == ("destroyed", "erased", None)
    with pytest.raises(Exception, match=str(document.pk)):
        storage().open(document.pk)
    assert bytes(Note.objects.get(pk=note.pk).text_sealed) == b""
    # What keeps an excluded person out stays.
    restriction.refresh_from_db()
    assert restriction.lifted_at is None
    assert [stone.subject_id for stone in tombstones.read()] == [str(customer.pk)]


def test_no_key_is_made_for_the_erased_by_erasing_them(player, frank):
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    finished(customer)
    assert not SubjectKey.objects.filter(subject_id=str(customer.pk), wrapped__isnull=False).exists()


def test_the_entry_says_why_it_was_lawful(player, frank):
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    [entry] = Entry.objects.filter(action="keys.shred", subject_id=str(customer.pk))
    data = entry.facts["data"]
    assert (data["rule"], data["kept_until"]) == ("TR.RET.IDENTITY", "2020-06-01")
    assert data["keys"] == 1 and data["documents"] == 1
    assert "sealed" not in entry.facts


def test_an_erasure_that_died_half_way_is_finished_by_the_next_delivery(player, frank, bring, monkeypatch):
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    monkeypatch.setattr(erasure, "BATCH", 1)
    [row] = OutboxRow.objects.filter(kind=erasure.FINISH)
    real = erasure.storage
    monkeypatch.setattr(erasure, "storage", lambda: (_ for _ in ()).throw(OSError(5, "I/O error")))
    assert not deliver(row.pk)
    assert Erasure.objects.get(customer=customer).finished_at is None
    monkeypatch.setattr(erasure, "storage", real)
    OutboxRow.objects.filter(pk=row.pk).update(due_at=timezone.now())
    assert finished(customer).finished_at


def test_a_player_is_erased_once(player, frank):
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    with pytest.raises(ConditionsNotMet, match="already"):
        erasure.shred_when_due(customer)


def test_every_page_that_shows_an_erased_player_says_so(player, frank, client, world):
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    finished(customer)
    client.force_login(world.alice)
    case = Case.objects.get(customer=customer)
    response = client.get(reverse("cases:case", kwargs={"number": case.number}))
    assert response.status_code in (200, 410)
    assert "Yıldırım" not in response.content.decode()


def test_every_column_that_is_sealed_or_indexed_is_emptied():
    """A new sealed column of a table that hangs on a customer must be named in reach.TABLES."""
    forgotten = []
    for model in apps.get_models():
        label = model._meta.label
        columns = {
            field.attname
            for field in model._meta.concrete_fields
            if field.attname.endswith(("_sealed", "_index")) and field.get_internal_type() == "BinaryField"
        }
        if label in reach.SPARED:
            columns = {column for column in columns if column.endswith("_index")}
        missing = columns - set(reach.TABLES.get(label, reach.Reach("")).emptied)
        forgotten += [f"{label}.{column}" for column in sorted(missing)]
    assert forgotten == [], "say in documents/keeping/reach.py how an erasure reaches these columns"


# ------------------------------------------------------------------------------------------------------ the runs
def test_the_plan_is_what_the_run_carries_out(player, frank, world, capsys):
    customer = ended(player[0], frank)
    kept = ended(world.account().customer, frank)
    call_command("retention", "plan", "--json")
    planned = json.loads(capsys.readouterr().out)
    call_command("retention", "run", "--dry-run", "--json")
    assert json.loads(capsys.readouterr().out) == planned
    assert [row["customer"] for row in planned["due"]] == [str(customer.pk)]
    assert planned["kept"] == {"kept": 1}
    call_command("retention", "run", "--json")
    ran = json.loads(capsys.readouterr().out)
    assert {name: ran[name] for name in planned} == planned
    assert ran["erased"] == [str(customer.pk)] and ran["not erased"] == {}
    assert not Erasure.objects.filter(customer=kept).exists()
    [entry] = Entry.objects.filter(action="retention.run")
    assert entry.facts["data"] == {"plan": planned["plan"], "due": 1, "erased": 1, "failed": 0}
    call_command("retention", "run", "--json")
    assert json.loads(capsys.readouterr().out)["due"] == []


def test_a_hold_that_comes_between_plan_and_run_wins(player, frank, monkeypatch):
    customer = ended(player[0], frank)
    planned = runs.plan()
    holds.place_hold(customer, by=frank, reason="litigation")
    monkeypatch.setattr(runs, "plan", lambda: planned)
    done = runs.run()
    assert done.erased == [] and list(done.failed) == [str(customer.pk)]
    assert SubjectKey.objects.filter(subject_id=str(customer.pk), wrapped__isnull=False).exists()


def test_the_law_wants_a_run_every_six_months(world):
    assert any("TR.RET.PERIODIC" in line for line in runs.overdue())
    runs.run()
    assert runs.overdue() == []


def test_the_command_proposes_and_never_erases_alone(player, frank, capsys):
    customer = ended(player[0], frank)
    call_command("keys", "shred", str(customer.pk), "--by", frank.email, "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "parked"
    assert not Erasure.objects.exists()
    with pytest.raises(CommandError) as refused:
        call_command("keys", "shred", str(uuid.uuid4()), "--by", frank.email)
    assert refused.value.returncode == 2
