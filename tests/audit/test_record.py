"""What an entry says, what it never says, and that it stands or falls with what it records."""

import json
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest
from django.db import connections, transaction

from audit import context, registry
from audit.actors import INSTALLATION, Actor, SubjectRef, system
from audit.canonical import base64url, canonical, dumps
from audit.context import MissingContext
from audit.models import AppendOnly, Entry
from audit.packing import unpack
from audit.record import (
    EntryTooLarge,
    NotInTransaction,
    ObjectRef,
    ReasonIsNotACode,
    additional_data,
    flaw_of,
    record,
    record_read,
    record_refusal,
)
from audit.registry import Action, Kept, UnregisteredAction, UnregisteredField
from audit.sealer import Sealed, sealer
from compliance.embedded.postgres import APPLICATION
from compliance.keys.services import ensure_subject_key

CUSTOMER = SubjectRef("customer", "6f0c0a52-5d9c-4a3f-9a3e-0d5a3b1c2d4e")
ROUTE = ObjectRef("route", "somewhere")


@pytest.fixture(scope="module", autouse=True)
def a_registered_action():
    before = dict(registry._actions)
    registry.register(
        Action(
            "tests.try",
            "{actor} tried {object}",
            {"state": Kept.PUBLIC, "name": Kept.SEALED, "password": Kept.OMIT, "count": Kept.PUBLIC},
        )
    )
    yield
    registry._actions.clear()
    registry._actions.update(before)


def the_entry(event_id):
    return Entry.objects.get(event_id=event_id)


def sealed_part(entry):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT ciphertext FROM audit_sealed WHERE entry_id = %s", [entry.id])
        [ciphertext] = cursor.fetchone()
    subject = SubjectRef(entry.subject_kind, entry.subject_id) if entry.subject_kind else INSTALLATION
    named = json.loads(unpack(bytes(entry.entry)))["sealed"]
    sealed = Sealed(named["kid"], named["alg"], bytes(ciphertext))
    opened = sealer().open(subject, entry.event_id, additional_data(entry.log, entry.event_id, subject), sealed)
    return json.loads(opened), sealed


@pytest.mark.usefixtures("db", "in_context")
class TestAnEntry:
    def test_it_says_who_did_what_to_what(self):
        event_id = record(
            "tests.try",
            by=system(),
            about=ObjectRef("case", "17", rev=3),
            reason="all_checks_met",
            changes={"state": ("new", "closed")},
            details={"count": 2},
            subject=CUSTOMER,
            matter="KYC-26-004813-9",
            behalf=Actor("staff", "bob"),
        )
        entry = the_entry(event_id)
        facts = entry.facts
        assert isinstance(event_id, UUID)
        assert event_id.version == 7
        assert facts["action"] == "tests.try"
        assert facts["actor"] == {"t": "system", "id": "system"}
        assert facts["behalf"] == {"t": "staff", "id": "bob"}
        assert facts["object"] == {"t": "case", "id": "17", "rev": 3}
        assert facts["subject"] == {"t": "customer", "id": CUSTOMER.id}
        assert facts["matter"] == entry.matter == "KYC-26-004813-9"
        assert facts["reason"] == {"code": "all_checks_met"}
        assert facts["diff"] == {"state": ["new", "closed"]}
        assert facts["data"] == {"count": 2}
        assert facts["out"] == "done"
        assert facts["req"] == context.current().request_id
        assert facts["src"]["app"] == "test"

    def test_its_bytes_are_canonical_and_carry_the_writers_mac(self):
        raw = bytes(the_entry(record("tests.try", by=system(), about=ROUTE, matter='Ä\u0308 "\\ \x07')).entry)
        assert canonical(json.loads(raw)) == raw
        assert flaw_of(raw, "main") is None
        unsigned = {key: value for key, value in json.loads(raw).items() if key != "mac"}
        assert json.loads(raw)["mac"] == base64url(sealer().mac(dumps(unsigned)))

    @pytest.mark.parametrize(
        "forged",
        [
            lambda raw: raw.replace(b"somewhere", b"elsewhere"),
            lambda raw: raw.replace(b',"log":"main"', b',"log":"aml"'),
            lambda raw: raw[:-1] + b" }",
            lambda raw: raw.replace(b',"mac":"', b',"mac":"A')[:-1],
            lambda raw: b'{"v":1}',
            lambda raw: b"",
            # a true MAC, moved to another place: the same entry must not have two forms
            lambda raw: (
                raw[: raw.index(b',"mac"')]
                + raw[raw.index(b',"mac"') + 52 : -1]
                + raw[raw.index(b',"mac"') :][:52]
                + b"}"
            ),
        ],
    )
    def test_bytes_that_the_writer_did_not_make_have_a_flaw(self, forged):
        raw = bytes(the_entry(record("tests.try", by=system(), about=ROUTE)).entry)
        assert flaw_of(forged(raw), "main") in ("no_mac", "wrong_mac")

    def test_what_a_detail_says_cannot_pass_for_the_mac(self):
        trap = {"count": {"log": "main", "mac": "x" * 43, "z": ',"log":"main","mac":"'}}
        raw = bytes(the_entry(record("tests.try", by=system(), about=ROUTE, details=trap)).entry)
        assert flaw_of(raw, "main") is None
        assert canonical(json.loads(raw)) == raw

    def test_free_text_addresses_and_sealed_fields_lie_only_under_the_subjects_key(self):
        with context.use(context.new("web", address="203.0.113.9", user_agent="Firefox")):
            event_id = record(
                "tests.try",
                by=system(),
                about=ROUTE,
                note="He called twice.",
                changes={"name": ("Ayşe", "Ayşe Nur"), "state": (None, "new")},
                subject=CUSTOMER,
            )
        entry = the_entry(event_id)
        opened, sealed = sealed_part(entry)
        assert opened == {
            "note": "He called twice.",
            "address": "203.0.113.9",
            "agent": "Firefox",
            "diff": {"name": ["Ayşe", "Ayşe Nur"]},
        }
        raw = bytes(entry.entry).decode()
        assert not any(word in raw for word in ("called", "203.0.113.9", "Firefox", "Ayşe"))
        assert entry.facts["diff"] == {"state": [None, "new"]}
        assert entry.facts["sealed"]["h"] == base64url(sha256(sealed.ciphertext).digest())
        assert entry.facts["sealed"]["n"] == len(sealed.ciphertext)
        assert entry.facts["sealed"]["kid"].startswith("customer/")

    def test_omitted_fields_are_nowhere(self):
        entry = the_entry(record("tests.try", by=system(), about=ROUTE, changes={"password": ("a", "b")}))
        assert "diff" not in entry.facts
        assert "sealed" not in entry.facts

    def test_the_object_says_whose_matter_it_is_and_which_log_it_belongs_to(self):
        class Report:
            audit_subject, audit_matter, audit_log, version, pk = CUSTOMER, "STR-26-000001-4", "aml", 5, 9

            class _meta:
                concrete_model = None
                model_name = "report"

        Report._meta.concrete_model = Report
        entry = the_entry(record("tests.try", by=system(), about=Report()))
        assert (entry.log, entry.matter, entry.subject_id) == ("aml", "STR-26-000001-4", CUSTOMER.id)
        assert entry.facts["object"] == {"t": "report", "id": "9", "rev": 5}

    def test_an_action_nobody_declared_is_an_error(self):
        with pytest.raises(UnregisteredAction):
            record("tests.unknown", by=system(), about=ROUTE)

    def test_a_field_nobody_declared_is_an_error(self):
        with pytest.raises(UnregisteredField, match="colour"):
            record("tests.try", by=system(), about=ROUTE, details={"colour": "red"})

    def test_a_reason_in_words_is_an_error(self):
        with pytest.raises(ReasonIsNotACode):
            record("tests.try", by=system(), about=ROUTE, reason="the player said so")

    def test_in_production_such_a_mistake_is_sealed_and_the_act_goes_on(self, settings):
        settings.MIZAN_ENV = "production"
        event_id = record(
            "tests.unknown",
            by=system(),
            about=ROUTE,
            reason="the player said so",
            details={"colour": "red"},
            subject=CUSTOMER,
        )
        entry = the_entry(event_id)
        opened, _ = sealed_part(entry)
        assert opened == {"data": {"colour": "red"}, "reason": "the player said so"}
        assert "red" not in bytes(entry.entry).decode()

    def test_an_entry_has_a_largest_size(self):
        with pytest.raises(EntryTooLarge, match=r"tests\.try"):
            record("tests.try", by=system(), about=ROUTE, details={"count": "x" * 60_000})

    def test_nobody_changes_entries_through_the_model(self):
        entry = the_entry(record("tests.try", by=system(), about=ROUTE))
        for change in (
            entry.save,
            entry.delete,
            Entry.objects.all().delete,
            lambda: Entry.objects.update(matter="x"),
            lambda: Entry.objects.create(log="main"),
            lambda: Entry.objects.bulk_create([entry]),
            lambda: Entry.objects.bulk_update([entry], ["matter"]),
        ):
            with pytest.raises(AppendOnly):
                change()


@pytest.mark.usefixtures("db")
def test_without_a_context_nothing_is_recorded():
    with pytest.raises(MissingContext):
        record("tests.try", by=system(), about=ROUTE)


def test_outside_a_transaction_nothing_is_recorded(house):
    with pytest.raises(NotInTransaction):
        record("tests.try", by=system(), about=ROUTE)
    assert Entry.objects.count() == 0


def test_an_entry_goes_with_the_change_that_is_rolled_back(house):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("tests.try", by=system(), about=ROUTE, note="gone")
        raise ZeroDivisionError
    assert house.sql(
        "SELECT (SELECT count(*) FROM audit_entry WHERE action = 'tests.try'), (SELECT count(*) FROM audit_sealed)"
    ) == [(0, 0)]


def test_a_refusal_survives_the_rollback_of_its_request(house):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("tests.try", by=system(), about=ROUTE)
        record_refusal("tests.try", by=system(), about=ROUTE, reason="no_right", note="tried by hand")
        raise ZeroDivisionError
    (entry,) = Entry.objects.filter(action="tests.try")
    assert entry.outcome == "refused"
    assert sealed_part(entry)[0] == {"note": "tried by hand"}


def test_a_refusal_does_not_wait_for_a_key_that_its_own_request_just_made(house):
    with context.use(context.new("web", address="203.0.113.9")), transaction.atomic():
        ensure_subject_key(CUSTOMER)
        record_refusal("tests.try", by=system(), about=ROUTE, reason="no_right", subject=CUSTOMER)
        transaction.set_rollback(True)
    assert Entry.objects.filter(action="tests.try", outcome="refused").count() == 1


def test_a_refusal_does_not_wait_long_for_a_key_that_somebody_else_is_making(house):
    with psycopg.connect(house.cluster.url(APPLICATION, house.name)) as stranger:
        stranger.execute(
            "INSERT INTO keys_subjectkey (kind, subject_id, version, provider, epoch, wrapped, created_at) "
            "VALUES (%s, %s, 1, 'file', 1, 'x', now())",
            [CUSTOMER.kind, CUSTOMER.id],
        )
        with context.use(context.new("web", address="203.0.113.9")):
            record_refusal(
                "tests.try",
                by=system(),
                about=ROUTE,
                reason="no_right",
                subject=CUSTOMER,
                details={"name": "x", "count": 1},
            )
        stranger.rollback()
    (entry,) = Entry.objects.filter(action="tests.try")
    assert entry.facts["data"] == {"count": 1}
    assert "sealed" not in entry.facts


@pytest.mark.usefixtures("db", "in_context")
class TestReads:
    def reads(self):
        return Entry.objects.filter(action="audit.read").count()

    def read(self, by=None, subject=CUSTOMER, purpose="review"):
        record_read(by=by or system(), subject=subject, purpose=purpose, about=ROUTE, matter="KYC-26-004813-9")

    def test_the_same_person_subject_and_purpose_are_one_entry(self):
        for _ in range(100):
            self.read()
        assert self.reads() == 1

    def test_another_person_subject_or_purpose_is_another(self):
        class Alice:
            is_active, human_id, audit_actor = True, None, Actor("staff", "alice")

        self.read()
        self.read(by=Alice())
        self.read(subject=SubjectRef("customer", "another"))
        self.read(purpose="export")
        assert self.reads() == 4

    def test_after_fifteen_minutes_it_is_another(self):
        self.read()
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE audit_read_mark SET until = until - interval '15 minutes 1 second'")
        self.read()
        self.read()
        assert self.reads() == 2
