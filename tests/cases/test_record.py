"""The record of a decision: who, why, by which policy, on what evidence, and what the player was told."""

import hashlib
import html

import pytest
from django.urls import reverse

from audit.models import Entry
from cases import timeline
from cases.models import Message
from cases.relations import merging
from cases.services import message_text, write_note
from cases.types.verification import services as verification
from compliance.proposals.models import Proposal
from documents.models import Document
from documents.services import digest_of
from tests.cases.test_pages import approved, opened, proposed, rejected
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db


def read(client, user, case):
    client.force_login(user)
    return client.get(reverse("cases:record", args=[case.number]))


@pytest.mark.parametrize("decided", [approved, rejected], ids=lambda make: make.__name__)
def test_it_names_both_persons_the_policy_the_evidence_and_the_words(world, client, decided):
    case = decided(world)
    said = read(client, world.alice, case).content.decode()
    proposal = Proposal.objects.get(subject_id=case.pk)
    documents = Document.objects.filter(evidence__case=case)
    texts = [message_text(message) for message in Message.objects.filter(case=case)]
    assert texts
    assert documents
    for part in ("Alice", "Bob", case.policy_version, bytes(proposal.evidence_digest).hex(), case.account.reference):
        assert part in said
    assert all(digest_of(document) in said for document in documents)
    assert all(text.splitlines()[0] in said.replace("&#x27;", "'") for text in texts)
    assert case.customer.full_name not in said.partition("What the player was told")[0]
    assert Entry.objects.filter(action="audit.read", matter=case.number, actor_id=str(world.alice.pk)).exists()


def test_the_digest_is_that_of_the_file_as_it_was_sent(world):
    data, case = a_file(), opened(world)
    evidence = bring(case, "identity_front", "passport", by=world.alice, data=data)
    assert digest_of(evidence.document) == hashlib.sha256(data).hexdigest()


def test_who_does_not_see_the_case_reads_no_record(world, client):
    case = approved(world)
    assert read(client, world.mallory, case).status_code == 404
    assert read(client, world.carol, case).status_code == 200


def logged(client, user, case):
    return read(client, user, case).content.decode().partition("In the log")[2]


def test_no_decision_is_left_out_however_much_was_written_since(world, client, monkeypatch):
    case = proposed(world)
    decided = timeline.of(case, only="decisions")
    monkeypatch.setattr(timeline, "LENGTH", 2)
    for n in range(3):
        write_note(case, by=world.alice, text=f"Note {n}.")
    said = logged(client, world.alice, case)
    assert decided
    assert said.count("<li>") == len(decided)
    assert all(item.title in html.unescape(said) for item in decided)


def test_what_was_decided_on_a_case_that_was_merged_into_this_one_is_there(world, client):
    before = rejected(world)
    case = verification.open(before.account, level="L1", by=world.alice)
    decided = timeline.of(before, only="decisions")[0].title
    assert decided not in html.unescape(logged(client, world.alice, case))
    merging.merge(before, case, by=world.alice, because="goes_on")
    assert decided in html.unescape(logged(client, world.alice, case))
