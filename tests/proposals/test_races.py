"""Two people at once, on a database that keeps what is committed: one of them decides."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from audit import context
from audit.models import Entry
from audit.perform import WrongState
from compliance.people.models import Team
from compliance.proposals.models import Proposal, State
from compliance.proposals.queries import SecondPersonNeeded, require_second_person
from compliance.proposals.services import AlreadyDecided, AlreadyProposed, EvidenceChanged, confirm, propose, send_back
from tests.proposals.conftest import NAME, allow, people

pytestmark = pytest.mark.usefixtures("commits")


@pytest.fixture
def who(rename, commits):
    who = people(secrets.token_hex(4))
    allow(rename, who)
    return who


def a_team():
    return Team.objects.create(name="Desk", slug=f"desk-{secrets.token_hex(6)}")


def at_once(*acts):
    """Run each act in a thread with connections of its own, all at the same moment; what each returned or raised."""
    start = threading.Barrier(len(acts))

    def alone(act):
        try:
            with context.use(context.new("test")):
                start.wait()
                return act()
        except WrongState as refused:
            return type(refused)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [done.result() for done in [threads.submit(alone, act) for act in acts]]


def kinds_of(results):
    return {type(one).__name__ if isinstance(one, Proposal) else one for one in results}


def test_two_officers_who_confirm_at_once_decide_once(who, rename):
    for _round in range(25):
        rename.runs.clear()
        team = a_team()
        proposal = propose(NAME, team, by=who.alice, reason="growing")
        results = at_once(lambda: confirm(proposal, by=who.bob), lambda: confirm(proposal, by=who.erin))  # noqa: B023
        assert kinds_of(results) == {"Proposal", AlreadyDecided}
        assert (len(rename.runs), Team.objects.get(pk=team.pk).name) == (1, "Desk+")
        done = Entry.objects.filter(object_id=str(proposal.pk), action="proposals.confirm", outcome="done")
        assert done.count() == 1


def test_confirming_and_sending_back_at_once_ends_in_one_of_them(who, rename):
    for _round in range(25):
        rename.runs.clear()
        proposal = propose(NAME, a_team(), by=who.alice, reason="growing")
        results = at_once(
            lambda: confirm(proposal, by=who.bob),  # noqa: B023
            lambda: send_back(proposal, by=who.erin, note="No"),  # noqa: B023
        )
        assert kinds_of(results) == {"Proposal", AlreadyDecided}
        assert len(rename.runs) == (Proposal.objects.get(pk=proposal.pk).state == State.PERFORMED)


def test_two_who_propose_at_once_make_one_proposal(who):
    for _round in range(10):
        team = a_team()
        results = at_once(
            lambda: propose(NAME, team, by=who.alice, reason="growing"),  # noqa: B023
            lambda: propose(NAME, team, by=who.bob, reason="growing"),  # noqa: B023
        )
        assert kinds_of(results) == {"Proposal", AlreadyProposed}
        assert Proposal.objects.filter(subject_id=team.pk).count() == 1


def test_that_it_became_void_is_kept_although_the_request_failed(who):
    team = a_team()
    proposal = propose(NAME, team, by=who.alice, reason="growing")
    Team.objects.filter(pk=team.pk).update(slug=f"{team.slug}-2")
    with pytest.raises(EvidenceChanged):
        confirm(proposal, by=who.bob)
    connections.close_all()
    assert Proposal.objects.get(pk=proposal.pk).state == State.VOIDED


def test_a_proposal_that_was_used_opens_no_second_door(who):
    team = a_team()
    performed = confirm(propose(NAME, team, by=who.alice, reason="growing"), by=who.bob)
    with pytest.raises(SecondPersonNeeded):
        require_second_person(NAME, team, proposal=performed.pk)
