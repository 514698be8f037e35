"""After an erasure: nothing new hangs on the player, what the log seals ends too, and who comes back is welcome."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from audit import context
from audit.actors import system
from audit.models import Entry
from audit.record import record_read
from cases.services import write_note
from cases.types.verification import services as verification
from compliance.keys.models import SubjectKey, Tombstone
from compliance.keys.services import Erased, Shredded, made_afterwards, open_sealed, seal
from compliance.people.gate import permissions_of
from compliance.people.models import Account, Customer, Licensee, Restriction
from compliance.people.services import contact_of, note_risk, open_account, register_customer, restrict
from compliance.people.suspicions.models import SuspicionReport
from compliance.people.suspicions.services import file as file_suspicion
from documents.keeping import erasure, holds, runs
from documents.keeping.certificate import certificate
from documents.keeping.models import Erasure, LegalHold
from documents.models import Document
from tests.cases.test_api import PLAYER, platform
from tests.documents.test_retention_and_erasure import (  # noqa: F401  fixtures
    a_privacy_officer,
    ended,
    finished,
    frank,
    grace,
    long_ago,
    player,
    stones,
    world,
)
from tests.papers import a_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def erased(player, frank):  # noqa: F811
    """A player who was erased, with everything done that follows."""
    customer = ended(player[0], frank)
    erasure.shred_when_due(customer)
    finished(customer)
    return Customer.objects.get(pk=customer.pk)


@pytest.fixture
def account(erased):
    return Account.objects.get(customer=erased)


# ------------------------------------------------------------------------------------------- nothing new hangs on them
WRITES = {
    "sealed value": lambda customer, account, here: seal(customer.audit_subject, "note", b"hello"),
    "account": lambda customer, account, here: open_account(
        customer=customer, brand=here.brand, reference="P-NEW", by=here.alice
    ),
    "case": lambda customer, account, here: verification.open(account, level="L1", by=here.alice),
    "note": lambda customer, account, here: write_note(customer.cases.get(), text="hello", by=here.alice),
    "risk fact": lambda customer, account, here: note_risk(
        customer, code="seen", source="test", details={}, by=system()
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nothing_new_is_kept_about_an_erased_player(erased, account, world, write):  # noqa: F811
    before = {model: model.objects.count() for model in (Account, Document, SubjectKey)}
    with pytest.raises(Erased, match="registered anew"), transaction.atomic():
        write(erased, account, world)
    assert {model: model.objects.count() for model in before} == before


def test_a_file_for_an_erased_player_is_not_taken_and_the_page_says_why(erased, world, client, vault):  # noqa: F811
    client.force_login(world.alice)
    case = erased.cases.get()
    before = vault.files()
    form = {"purpose": "identity_front", "document_type": "passport"}
    form["file"] = SimpleUploadedFile("front.jpg", a_file(), "image/jpeg")
    response = client.post(reverse("cases:upload", kwargs={"number": case.number}), form)
    assert response.status_code in (410, 422)
    assert vault.files() == before


def test_the_api_says_that_the_player_was_erased(erased, world, client):  # noqa: F811
    api = platform(world, client)
    facts = {"customer": str(erased.pk), "brand": world.brand.slug, "reference": "P-NEW"}
    refused = api.post("/accounts", facts)
    assert (refused.status_code, refused.json()["code"]) == (410, "erased")
    assert "anew" in refused.json()["detail"]


# ------------------------------------------------------------------------------------------------- what the log seals
def somebody_looks(customer, by):
    """An entry with an address in it, which the log seals under the customer's key."""
    with context.use(context.new("test", address="192.0.2.7")), transaction.atomic():
        record_read(by=by, subject=customer.audit_subject, purpose="test", about=customer)


def age(customer, days):
    """The key that was made afterwards is this old."""
    then = datetime.now(UTC) - timedelta(days=days)
    made_afterwards().filter(subject_id=str(customer.pk)).update(created_at=then)


def the_plan(capsys, verb="plan"):
    call_command("retention", verb, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_log_goes_on_under_a_key_of_its_own_which_the_plan_lists(erased, world, capsys):  # noqa: F811
    assert not made_afterwards().exists()
    somebody_looks(erased, world.alice)
    [key] = made_afterwards()
    assert (key.subject_id, key.version) == (str(erased.pk), 2)
    with pytest.raises(Erased):
        seal(erased.audit_subject, "note", b"not even now")
    [listed] = the_plan(capsys)["written after the erasure"]
    assert (listed["customer"], listed["outcome"], listed["rule"]) == (str(erased.pk), "kept", "TR.RET.ERASURE_LOG")


def test_the_run_ends_it_when_the_log_of_erasures_need_not_be_kept_any_longer(erased, world, capsys):  # noqa: F811
    somebody_looks(erased, world.alice)
    age(erased, days=3 * 365 - 5)
    runs.run()
    assert made_afterwards().exists()
    age(erased, days=3 * 365 + 5)
    planned = the_plan(capsys)
    ran = the_plan(capsys, "run")
    assert {name: ran[name] for name in planned} == planned
    assert not SubjectKey.objects.filter(subject_id=str(erased.pk), wrapped__isnull=False).exists()
    assert Tombstone.objects.filter(subject_id=str(erased.pk)).count() == 2
    last = Entry.objects.filter(action="keys.shred", subject_id=str(erased.pk)).order_by("id").last()
    assert last.facts["reason"]["code"] == "log_period_over" and last.facts["data"]["rule"] == "TR.RET.ERASURE_LOG"
    assert the_plan(capsys)["written after the erasure"] == []


def test_a_hold_wins_over_the_end_of_what_the_log_sealed(erased, world, frank, capsys):  # noqa: F811
    somebody_looks(erased, world.alice)
    age(erased, days=5000)
    holds.place_hold(erased, by=frank, reason="litigation")
    assert the_plan(capsys)["written after the erasure"][0]["outcome"] == "held"
    runs.run()
    assert made_afterwards().exists()


# --------------------------------------------------------------------------------------------------------- coming back
def test_a_player_who_comes_back_is_a_new_customer_under_the_same_reference(erased, account, world, client):  # noqa: F811
    api = platform(world, client)
    made = api.post("/customers", PLAYER)
    assert made.status_code == 201, made.content
    facts = {"customer": made.json()["id"], "brand": world.brand.slug, "reference": account.reference}
    opened = api.post("/accounts", {**facts, "email": "isil@example.com"})
    assert opened.status_code == 201, opened.content
    case = api.post("/verifications", {"account": account.reference, "level": "L1"})
    assert case.status_code == 201, case.content
    back = Customer.objects.get(pk=made.json()["id"])
    assert back.pk != erased.pk and back.person_id == erased.person_id
    assert contact_of(back.accounts.get(), "email") == "isil@example.com"
    assert back.cases.count() == 1
    # A third registration under the reference that is taken again is refused as always.
    assert api.post("/accounts", facts).status_code == 422


def returns(world, account, **facts):  # noqa: F811
    given = {"full_name": "Işıl Yıldırım", "birth_date": date(1991, 3, 14), "nationality": "TR"}
    customer = register_customer(licensee=world.licensee, by=world.alice, **given)
    return open_account(customer=customer, brand=world.brand, reference=account.reference, by=world.alice, **facts)


@pytest.mark.parametrize("reaches", ["person", "customer", "account"])
def test_an_erasure_never_lets_anybody_play_again(player, frank, world, reaches):  # noqa: F811
    customer = ended(player[0], frank)
    account = Account.objects.get(customer=customer)
    owner = {"person": customer.person, "customer": customer, "account": account}[reaches]
    restrict(owner, stops=["play"], cover_code="self_excluded", source="gaming", by=system())
    gate = lambda reference: permissions_of(world.licensee.pk, reference)["play"].allowed  # noqa: E731
    assert not gate(account.reference)
    erasure.shred_when_due(customer)
    finished(customer)
    assert not gate(account.reference)
    back = returns(world, account)
    assert not gate(account.reference)
    if reaches != "account":
        other = open_account(customer=back.customer, brand=world.brand, reference="P-OTHER", by=world.alice)
        assert not gate(other.reference)
    restriction = Restriction.objects.get()
    assert restriction.lifted_at is None
    carried = Entry.objects.filter(action="people.carry_restriction", object_id=str(restriction.pk)).count()
    assert carried == (0 if reaches == "person" else 1)


def test_the_erased_cannot_come_back_as_two(erased, account, world, frank):  # noqa: F811
    second = Account.objects.create(
        customer=erased,
        licensee=world.licensee,
        brand=world.brand,
        reference="P-SECOND",
        released_at=account.released_at,
    )
    returns(world, account)
    with pytest.raises(ValidationError, match="registered again already"), transaction.atomic():
        returns(world, second)


def test_who_came_back_is_erased_like_anybody(erased, account, world, frank):  # noqa: F811
    back = returns(world, account, email="isil@example.com").customer
    with pytest.raises(Shredded):
        open_sealed(erased.audit_subject, "note", b"")
    ended(long_ago(back), frank)
    erasure.shred_when_due(back)
    finished(back)
    assert Erasure.objects.count() == 2
    assert Account.objects.filter(reference=account.reference, released_at=None).count() == 0


# ------------------------------------------------------------------------------------- reports, seen by nobody outside
@pytest.fixture
def report(world):  # noqa: F811
    """File a suspicion about a customer, that many days ago."""

    def report(customer, days):
        made = file_suspicion(
            by=world.alice, about="him", text="odd", noticed_on=date(2012, 5, 1), token=uuid.uuid4(), customer=customer
        )
        then = datetime.now(UTC) - timedelta(days=days)
        SuspicionReport.objects.filter(pk=made.pk).update(filed_at=then)
        return SuspicionReport.objects.get(pk=made.pk)

    return report


LONG, SHORT = 8 * 366, 8 * 365 - 9


def test_a_report_ends_with_its_period_once_the_player_is_erased(player, frank, report, capsys):  # noqa: F811
    customer = ended(player[0], frank)
    old, young = report(customer, LONG), report(customer, SHORT)
    before = the_plan(capsys)
    assert "uspicio" not in json.dumps(before)
    held = holds.place_hold(customer, by=frank, reason="litigation")
    runs.run()
    assert SuspicionReport.objects.count() == 2, "the player is still here"
    LegalHold.objects.filter(pk=held.pk).update(lifted_at=datetime.now(UTC), lifted_by="test")
    ran = the_plan(capsys, "run")
    assert ran["erased"] == [str(customer.pk)] and "uspicio" not in json.dumps(ran)
    assert list(SuspicionReport.objects.all()) == [young]
    [entry] = Entry.objects.filter(action="suspicions.destroy")
    assert (entry.facts["data"]["receipt"], entry.log) == (old.receipt, "aml")


def test_a_report_about_an_erased_player_under_a_hold_stays(erased, frank, report):  # noqa: F811
    report(erased, LONG)
    holds.place_hold(erased, by=frank, reason="authority_request")
    runs.run()
    assert SuspicionReport.objects.exists()


def test_a_report_about_nobody_waits_for_the_strictest_licensee(world, report):  # noqa: F811
    report(None, LONG)
    Licensee.objects.filter(jurisdiction="GB").update(jurisdiction="FR")
    runs.run()
    assert SuspicionReport.objects.exists(), "of a licensee in France nobody verified the period"
    Licensee.objects.update(jurisdiction="TR")
    runs.run()
    assert not SuspicionReport.objects.exists()


# ------------------------------------------------------------------------------------------------------ the certificate
def test_the_certificate_names_the_day_on_which_the_last_backup_is_gone(erased):
    made = certificate(Erasure.objects.get(customer=erased))
    today = erased.licensee.today()
    assert made["backups"]["removed"]["rule"] == "OP.RET.BACKUPS"
    assert date.fromisoformat(made["backups"]["removed"]["on"]) == today + timedelta(days=36)
