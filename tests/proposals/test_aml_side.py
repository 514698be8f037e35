"""What is proposed on the AML side stands in that side's log and under its addresses; elsewhere there is nothing."""

import secrets
from dataclasses import replace

import pytest
from django.core import mail
from django.http import Http404

from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from compliance.outbox.models import OutboxRow
from compliance.people.access.leaving import end_all
from compliance.people.services import create_user, join
from compliance.proposals import acts, escalation, queries
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, expire_overdue, propose, send_back
from tests.proposals.conftest import NAME

pytestmark = pytest.mark.django_db


@pytest.fixture
def aml(who, rename, monkeypatch):
    """The act of the tests, as one of the AML side."""
    monkeypatch.setitem(acts._acts, NAME, replace(rename.act(), log=lambda team: "aml"))
    return who


def logs(proposal):
    """Of every entry about it: what was done is written on one connection, what was refused on another."""
    found = set()
    for alias in ("default", "log"):
        rows = Entry.objects.using(alias).filter(object_id=str(proposal.pk))
        found |= {(entry.action, entry.outcome, entry.log) for entry in rows}
    return found


def test_every_entry_of_it_stands_in_the_aml_log(aml, team):
    proposal = propose(NAME, team, by=aml.alice, reason="growing")
    with pytest.raises(Denied):
        confirm(proposal, by=aml.alice)
    with pytest.raises(Denied):
        confirm(proposal, by=aml.carol)
    confirm(proposal, by=aml.bob)
    assert {log for _action, _outcome, log in logs(proposal)} == {"aml"}
    assert {action for action, _outcome, _log in logs(proposal)} == {"proposals.propose", "proposals.confirm"}


def test_nobody_finds_or_counts_it_outside(aml, team):
    proposal = propose(NAME, team, by=aml.alice, reason="growing")
    assert not queries.waiting_for(aml.bob).exists() and not queries.submitted_by(aml.alice).exists()
    assert queries.waiting_for(aml.bob, log="aml").get() == queries.submitted_by(aml.alice, log="aml").get() == proposal
    with pytest.raises(Http404):
        queries.get_proposal(proposal.pk, user=aml.bob)
    assert queries.get_proposal(proposal.pk, user=aml.bob, log="aml")[0] == proposal
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=proposal.created_at)
    assert expire_overdue() == 1
    assert not queries.expired_for(aml.bob).exists() and queries.expired_for(aml.bob, log="aml").exists()


def test_one_of_the_main_log_is_not_among_those_of_the_aml_side(who, team):
    proposal = propose(NAME, team, by=who.alice, reason="growing")
    assert queries.waiting_for(who.bob).get() == proposal and not queries.waiting_for(who.bob, log="aml").exists()
    with pytest.raises(Http404):
        queries.get_proposal(proposal.pk, user=who.bob, log="aml")
    send_back(proposal, by=who.bob, note="no")
    assert {log for _action, _outcome, log in logs(proposal)} == {"main"}


def test_reporting_officers_hear_that_nobody_decided_and_managers_do_not(aml, team, rename):
    def person(role):
        user = create_user(email=f"{role}-{secrets.token_hex(4)}@example.com", name=role, by=system())
        join(user, team, role, by=system())
        rename.checkers.add(user.human_id)
        return user

    person("manager")
    officer = person("mlro")
    proposal = propose(NAME, team, by=aml.alice, reason="growing")
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=proposal.created_at)
    expire_overdue()
    escalation.deliver(OutboxRow.objects.get(kind=escalation.ESCALATE))
    assert [letter.to for letter in mail.outbox] == [[officer.email]]
    assert {log for _action, _outcome, log in logs(proposal)} == {"aml"}


def test_what_a_leaver_left_on_that_side_is_not_counted_in_the_main_log(aml, team):
    propose(NAME, team, by=aml.alice, reason="growing")
    assert end_all(aml.alice, by=system())["proposals"] == 0
    assert expire_overdue() == 1
