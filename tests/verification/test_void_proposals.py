"""A proposal rests on what was seen. When that changes it is void, and its page says what changed."""

from html import unescape

import pytest

from audit.perform import perform
from cases import services as engine
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, propose
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(complete, world):
    return propose("verification.approve", complete, by=world.alice, reason="all_checks_met")


def pressed(client, user, proposal):
    """Status and words of the page after somebody pressed Confirm."""
    client.force_login(user)
    answer = client.post(f"/approvals/{proposal.pk}/confirm/")
    return answer.status_code, unescape(answer.content.decode())


def test_a_verdict_taken_back_is_named_in_words(proposal, complete, world, client):
    perform(complete.evidence.get(purpose="identity_back").revoke, by=world.bob)
    status, words = pressed(client, world.erin, proposal)
    assert status == 409
    assert "Identity document, back: was “Accepted”, is now “To look at”" in words
    assert "Identity document, front" not in words.split("Changed since it was proposed")[1].split("</section>")[0]


def test_changed_data_of_the_player_are_named_and_not_shown(proposal, complete, world, client):
    customer = complete.customer
    type(customer).objects.filter(pk=customer.pk).update(full_name="Ayşe Kaya")
    status, words = pressed(client, world.erin, proposal)
    assert (status, "The player’s own data were changed." in words) == (409, True)
    assert "Kaya" not in str(Proposal.objects.get(pk=proposal.pk).changes)


def test_a_new_file_is_named_and_its_proposal_is_void_at_once(case, world, client):
    """A refusal can be proposed while the player may still bring files."""
    proposal = propose("verification.reject", case, by=world.alice, reason="person_differs")
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    assert Proposal.objects.get(pk=proposal.pk).state == "voided"
    status, words = pressed(client, world.erin, proposal)
    assert (status, "Identity document, front: a file was added" in words) == (409, True)


def test_whoever_looks_later_reads_it_too(proposal, complete, world, client):
    perform(complete.evidence.get(purpose="identity_back").revoke, by=world.bob)
    pressed(client, world.erin, proposal)
    client.force_login(world.alice)
    page = client.get(f"/approvals/{proposal.pk}/").content.decode()
    assert "Changed since it was proposed" in page
    assert "Identity document, back" in page


def test_one_decision_voids_the_other_that_waits(complete, world):
    refusal = propose("verification.reject", complete, by=world.alice, reason="person_differs")
    approval = propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    confirm(approval, by=world.bob)
    assert Proposal.objects.get(pk=refusal.pk).state == "voided"


def test_a_verdict_that_was_there_before_voids_nothing(case, world):
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    engine.accept(case.evidence.get(), by=world.alice)
    proposal = propose("verification.reject", case, by=world.alice, reason="person_differs")
    engine.write_note(case, by=world.alice, text="A note changes nothing.")
    assert confirm(proposal, by=world.bob).state == "performed"
