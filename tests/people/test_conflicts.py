"""Who knows a player decides nothing about them: no approval, erasure or hold, and nothing that was parked before."""

import uuid

import pytest
from django.db import transaction
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases.queues import declare_conflict
from compliance.people.conflicts.queries import KnowsThePlayer, stands_between
from compliance.people.services import create_user
from compliance.proposals.models import Proposal
from compliance.proposals.queries import submitted_by, waiting_for
from compliance.proposals.services import changes_of, confirm, propose, send_back
from documents.keeping import erasure, holds
from documents.keeping.models import Erasure, LegalHold, RelationshipEnd
from tests.documents.test_retention_and_erasure import a_privacy_officer, ended, long_ago
from tests.world import PASSWORD, a_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(here):
    return a_world()


@pytest.fixture
def frank(world):
    return a_privacy_officer(world, "Frank")


@pytest.fixture
def grace(world):
    return a_privacy_officer(world, "Grace")


@pytest.fixture
def heidi(world):
    return a_privacy_officer(world, "Heidi")


@pytest.fixture
def customer(world, frank):
    return ended(long_ago(world.account().customer), frank)


def knows(user, customer):
    declare_conflict(user, customer, by=user, relation="family")


def refusals(action, user):
    rows = Entry.objects.using("log").filter(action=action, outcome="refused", actor_id=str(user.pk))
    return [row.facts["reason"]["code"] for row in rows]


def test_nobody_proposes_to_erase_or_to_lift_a_hold_on_a_player_they_know(customer, frank, grace):
    hold = holds.place_hold(customer, by=frank, reason="litigation")
    knows(grace, customer)
    for act, subject in ((erasure.SHRED, customer), (holds.LIFT, hold)):
        with pytest.raises(KnowsThePlayer):
            propose(act, subject, by=grace, reason="erasure_request")
    assert refusals("proposals.propose", grace) == ["conflict_of_interest"] * 2


@pytest.mark.parametrize("decide", [confirm, lambda proposal, by: send_back(proposal, by=by, note="no")])
def test_what_was_parked_before_the_declaration_is_not_theirs_to_decide(customer, frank, grace, heidi, client, decide):
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    assert proposal in waiting_for(grace)
    knows(grace, customer)
    with pytest.raises(KnowsThePlayer):
        decide(proposal, by=grace)
    assert proposal not in waiting_for(grace) and proposal in waiting_for(heidi)
    client.force_login(grace)
    address = reverse("proposals:detail", args=[proposal.pk])
    assert client.get(address).status_code == 404
    assert client.post(f"{address}confirm/").status_code == 404
    assert Proposal.objects.get(pk=proposal.pk).state == "parked" and not Erasure.objects.exists()


def test_a_second_sign_in_of_the_same_person_knows_them_too(customer, frank, grace):
    twin = create_user(
        email=f"twin-{uuid.uuid4().hex[:6]}@example.com",
        name="Grace",
        password=PASSWORD,
        human=grace.human,
        by=system(),
    )
    knows(twin, customer)
    assert stands_between(grace, customer.audit_subject) and not stands_between(frank, customer.audit_subject)
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    with pytest.raises(KnowsThePlayer):
        confirm(proposal, by=grace)


def test_what_they_proposed_themselves_is_void_from_then_on(customer, frank, grace):
    proposal = propose(erasure.SHRED, customer, by=frank, reason="erasure_request")
    other = propose(erasure.SHRED, ended(long_ago(a_world().account().customer), frank), by=frank, reason="period_over")
    knows(frank, customer)
    proposal.refresh_from_db()
    assert proposal.state == "voided"
    assert "know the player" in str(changes_of(proposal)[0])
    assert list(submitted_by(frank)) == [other]
    assert not Proposal.objects.parked().filter(subject_id=customer.pk).exists()


ACTS = {
    "keeping.place_hold": lambda customer, by: holds.place_hold(customer, by=by, reason="litigation"),
    "keeping.end_relationship": lambda customer, by: ended(customer, by),
    "keeping.resume_relationship": lambda customer, by: holds.resume_relationship(customer, by=by),
}


@pytest.mark.parametrize("action", ACTS)
def test_what_begins_or_stops_a_period_is_not_theirs_either(customer, grace, action):
    knows(grace, customer)
    before = RelationshipEnd.objects.get().recorded_at
    with pytest.raises(KnowsThePlayer), transaction.atomic():
        ACTS[action](customer, grace)
    assert RelationshipEnd.objects.get().recorded_at == before and not LegalHold.objects.exists()
    assert refusals(action, grace) == ["conflict_of_interest"]
