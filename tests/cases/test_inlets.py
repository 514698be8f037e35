"""Every way in which words come into the house: no card number is kept, a known reference is, and words of self-harm
open an urgent task where there is a case to hang it on.

A new inlet belongs into INLETS: name it, and how its words come back out of where they are kept.
"""

from datetime import date
from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import Entry
from cases import services as engine
from cases.contacts import services as contacts
from cases.contacts.models import Task
from cases.drafts import services as drafts
from cases.happenings import HAPPENED, deliver
from cases.mail import files, letters, writing
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.services import open_account
from compliance.people.suspicions import services as suspicions
from compliance.proposals.sealed import note_of
from compliance.proposals.services import propose
from documents.services import name_of
from tests.cases.test_card_data import latest, opened
from tests.mail.writing import a_letter
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db
CARD, REFERENCE = "4111 1111 1111 1111", "5555555555554444"
TEXT = f"kart {CARD} cvv 123 hesap {REFERENCE}"
KEPT = f"kart •••• 1111 cvv ••• hesap {REFERENCE}"
HARM = "intihar edeceğim"


def note(case, text, world, client):
    kept = engine.write_note(case, by=world.alice, text=text)
    return engine.note_text(kept), opened(latest("cases.write_note"))


def contact(case, text, world, client):
    facts = {"channel": "phone", "direction": "in", "category": "other", "outcome": "answered"}
    logged = contacts.log_contact(case, by=world.alice, summary=text, **facts)
    return contacts.summary_of(logged.contact), opened(latest("contacts.log"))


def draft(case, text, world, client):
    drafts.keep(case, "note", text, by=world.alice)
    return (drafts.text_of(case, "note", user=world.alice),)


def letter(case, text, world, client):
    raw = a_letter(f"{case.number} {text}", text, files=[(f"{text}.jpg", "image/jpeg", a_file())])
    kept = letters.take_in(raw, licensee=case.licensee, size=len(raw))
    said = letters.content_of(kept)
    return said.subject, said.text, files.name_of(kept.files.get())


def message(case, text, world, client):
    kept = writing.send(case, "answer", text, by=world.alice, token=uuid4())
    return engine.message_text(kept), opened(latest("cases.write_message"))


def search(case, text, world, client):
    client.force_login(world.alice)
    client.get(reverse("cases:search"), {"q": text})
    return (opened(latest("cases.search")),)


def proposal(case, text, world, client):
    engine.accept(bring(case, "identity_front", "passport", by=world.alice, inspected=False), by=world.alice)
    case = verification.review(case, by=world.alice)
    kept = propose("verification.approve", case, by=world.alice, reason="all_checks_met", note=text)
    return note_of(kept), opened(latest("proposals.propose"))


def suspicion(case, text, world, client):
    kept = suspicions.file(by=world.alice, about=text, text=text, noticed_on=date(2026, 1, 1), token=uuid4())
    return suspicions.words_of(kept)


def file_name(case, text, world, client):
    evidence = bring(case, "identity_front", "passport", by=world.alice, name=f"{text}.jpg", inspected=False)
    return name_of(evidence.document), opened(latest("documents.receive"))


INLETS = [note, contact, draft, letter, message, search, proposal, suspicion, file_name]


@pytest.mark.parametrize("inlet", INLETS, ids=lambda inlet: inlet.__name__)
def test_no_card_number_is_kept_and_a_known_reference_is(world, client, inlet):
    case = world.verification("L1")
    open_account(customer=case.customer, brand=world.brand, reference=REFERENCE, by=world.alice)
    for kept in inlet(case, TEXT, world, client):
        assert "•••• 1111" in kept and REFERENCE in kept
        assert CARD not in kept and CARD.replace(" ", "") not in kept and "cvv 123" not in kept
    public = "".join(str(entry.facts) for entry in Entry.objects.all())
    assert CARD not in public and CARD.replace(" ", "") not in public and "cvv 123" not in public


@pytest.mark.parametrize("inlet", [note, contact, letter], ids=lambda inlet: inlet.__name__)
def test_words_of_self_harm_open_an_urgent_task_once(world, client, inlet):
    case = world.verification("L1")
    for _again in range(2):
        inlet(case, HARM, world, client)
        for row in OutboxRow.objects.filter(kind=HAPPENED):
            deliver(row)
    task = Task.objects.get(case=case)
    assert task.kind == "care" and contacts.open_tasks(world.bob).first() == task
    assert HARM not in str(Entry.objects.get(action="tasks.call_for_care").facts)
