"""No card number is kept by any act that keeps words; the last four digits can be read."""

import pytest
from django.db import connection
from django.urls import reverse

from audit.actors import SubjectRef
from audit.models import Entry
from audit.record import additional_data
from audit.sealer import Sealed, sealer
from cases import services
from cases.types.verification import services as verification
from compliance.people.services import open_account
from compliance.proposals.sealed import note_of
from compliance.proposals.services import propose
from tests.papers import bring

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111\n1111 cvv 123"
KEPT = "•••• 1111 cvv •••"


def opened(entry):
    """The sealed part of an entry, as the words it keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ciphertext FROM audit_sealed WHERE entry_id = %s", [entry.pk])
        (ciphertext,) = cursor.fetchone()
    said = entry.facts["sealed"]
    subject = (
        SubjectRef(entry.facts["subject"]["t"], entry.facts["subject"]["id"]) if "subject" in entry.facts else None
    )
    subject = subject or SubjectRef("installation", "00000000-0000-0000-0000-000000000000")
    bound = additional_data(entry.log, entry.event_id, subject)
    return sealer().open(subject, entry.event_id, bound, Sealed(said["kid"], said["alg"], bytes(ciphertext))).decode()


def latest(action):
    return Entry.objects.filter(action=action).latest("id")


def test_a_note_and_its_entry(world):
    note = services.write_note(world.verification(), by=world.alice, text=f"kart {CARD} tamam")
    assert services.note_text(note) == f"kart {KEPT} tamam"
    assert "•••• 1111" in opened(latest("cases.write_note"))


def test_a_message(world):
    message = services.write_message(world.verification(), "approved", by=world.alice, text=f"Sayın {CARD}")
    assert services.message_text(message) == f"Sayın {KEPT}"
    assert "1111 1111" not in opened(latest("cases.write_message"))


def test_what_was_searched_for(world, client):
    client.force_login(world.alice)
    client.get(reverse("cases:search"), {"q": "4111-1111-1111-1111"})
    words = opened(latest("cases.search"))
    assert "•••• 1111" in words and "4111" not in words


def test_what_a_second_person_is_told(world):
    case = world.verification("L1")
    evidence = bring(case, "identity_front", "passport", by=world.alice)
    services.accept(evidence, by=world.alice)
    case = verification.review(case, by=world.alice)
    proposal = propose("verification.approve", case, by=world.alice, reason="all_checks_met", note=f"bkz. {CARD}")
    assert note_of(proposal) == f"bkz. {KEPT}"


def test_the_reference_of_an_account_survives(world):
    case = world.verification()
    open_account(customer=case.customer, brand=world.brand, reference="5555555555554444", by=world.alice)
    note = services.write_note(case, by=world.alice, text="hesap 5555 5555 5555 4444, kart 4111111111111111")
    assert services.note_text(note) == "hesap 5555 5555 5555 4444, kart •••• 1111"
