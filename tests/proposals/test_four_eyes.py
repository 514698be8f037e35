"""A heavy act waits for another person; it happens once, as proposed, or not at all."""

import uuid

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, StateMovesOnlyThroughPerform, perform
from compliance.outbox.payload import FreeText
from compliance.people.models import Team
from compliance.proposals.acts import UnknownAct, register
from compliance.proposals.models import Proposal, State
from compliance.proposals.queries import SecondPersonNeeded, require_second_person
from compliance.proposals.sealed import answer_of, note_of
from compliance.proposals.services import (
    AlreadyDecided,
    AlreadyProposed,
    EvidenceChanged,
    OtherCheckerNamed,
    PersonNeeded,
    SamePerson,
    confirm,
    expire_overdue,
    propose,
    send_back,
    withdraw,
)
from tests.proposals.conftest import NAME, facts


@pytest.fixture
def proposal(who, team):
    return propose(NAME, team, by=who.alice, reason="growing")


def stored(proposal):
    return Proposal.objects.get(pk=proposal.pk)


def refusals(proposal):
    """Codes of what was refused about it. They are written on another connection, as the product does."""
    entries = Entry.objects.using("log").filter(object_id=str(proposal.pk), outcome="refused")
    return [facts(entry)["reason"]["code"] for entry in entries.order_by("id")]


def done(proposal, action):
    return Entry.objects.filter(object_id=str(proposal.pk), action=action, outcome="done")


# ------------------------------------------------------------------------------------------------------ propose
def test_a_proposal_changes_nothing_but_itself(proposal, rename, team):
    assert (stored(proposal).state, rename.runs) == (State.PARKED, [])
    assert Team.objects.get(pk=team.pk).name == "Desk"
    assert facts(done(proposal, "proposals.propose").get())["data"]["act"] == NAME


def test_only_one_proposal_of_an_act_is_open_on_a_subject(proposal, who, team):
    with pytest.raises(AlreadyProposed):
        propose(NAME, team, by=who.bob, reason="growing")


def test_after_it_was_sent_back_it_can_be_proposed_again(proposal, who, team):
    send_back(proposal, by=who.bob, note="Why?")
    assert propose(NAME, team, by=who.alice, reason="growing").pk != proposal.pk


def test_who_has_no_right_may_not_propose(who, team, rename):
    with pytest.raises(Denied):
        propose(NAME, team, by=who.carol, reason="growing")
    assert Entry.objects.using("log").filter(object_id=str(team.pk), outcome="refused").count() == 1


def test_the_product_itself_may_not_propose(who, team):
    with pytest.raises(PersonNeeded):
        propose(NAME, team, by=system(), reason="growing")


def test_a_key_proposes_in_the_name_of_its_owner(who, team):
    proposal = propose(NAME, team, by=who.alices_key, reason="growing")
    assert (proposal.maker, proposal.maker_actor) == (who.alice, f"key:{who.alices_key.pk}")


def test_a_reason_is_needed(who, team):
    with pytest.raises(ConditionsNotMet, match="reason"):
        propose(NAME, team, by=who.alice)


def test_what_is_missing_is_said_before_it_is_parked(who, team, rename):
    rename.missing.append("A photo of the team is missing.")
    with pytest.raises(ConditionsNotMet, match="photo"):
        propose(NAME, team, by=who.alice, reason="growing")
    assert Proposal.objects.count() == 0


def test_words_among_the_inputs_are_sealed_or_refused(who, team, rename):
    with pytest.raises(FreeText, match="name"):
        propose(NAME, team, by=who.alice, reason="growing", name="Ayşe's desk")
    proposal = propose(NAME, team, by=who.alice, reason="growing", level="L2", message="Dear Ayşe")
    assert proposal.inputs == {"level": "L2"}
    assert b"Ay" not in bytes(stored(proposal).inputs_sealed)
    confirm(proposal, by=who.bob)
    assert (rename.runs[0]["level"], rename.runs[0]["message"]) == ("L2", "Dear Ayşe")


def test_notes_are_sealed_and_readable(who, team):
    proposal = propose(NAME, team, by=who.alice, reason="growing", note="Şuna bak")
    assert note_of(stored(proposal)) == "Şuna bak"
    assert "bak" not in str(facts(done(proposal, "proposals.propose").get()))


def test_an_act_nobody_registered_cannot_be_proposed(who, team):
    with pytest.raises(UnknownAct):
        propose("team.unheard_of", team, by=who.alice, reason="growing")


def test_an_act_is_registered_once(rename):
    with pytest.raises(ValueError, match="twice"):
        register(rename.act())


# ------------------------------------------------------------------------------------------------------ confirm
def test_a_second_person_confirms_and_the_act_runs_once(proposal, who, rename, team):
    performed = confirm(proposal, by=who.bob)
    assert (performed.state, performed.checker_id, performed.checker_human_id) == (
        State.PERFORMED,
        who.bob.pk,
        who.bob.human_id,
    )
    assert rename.runs == [
        {"by": who.bob, "reason": "growing", "proposal": str(proposal.pk), "maker": f"staff:{who.alice.pk}"}
    ]
    assert Team.objects.get(pk=team.pk).name == "Desk+"
    entry = facts(done(proposal, "proposals.confirm").get())
    assert (entry["actor"]["id"], entry["data"]["maker"]) == (str(who.bob.pk), f"staff:{who.alice.pk}")


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("alice", SamePerson, "same_person"),
        ("alice_again", SamePerson, "same_person"),  # a second sign-in, and a superuser
        ("alices_key", SamePerson, "same_person"),
        ("bobs_key", PersonNeeded, "person_needed"),
        ("system", PersonNeeded, "person_needed"),
        ("carol", Denied, "no_right"),
        ("dave", Denied, "not_active"),
    ],
)
@pytest.mark.parametrize("decide", [confirm, lambda proposal, by: send_back(proposal, by=by, note="No")])
def test_these_may_not_decide_and_the_attempt_is_kept(proposal, who, rename, name, error, code, decide):
    with pytest.raises(error):
        decide(proposal, by=system() if name == "system" else getattr(who, name))
    assert (stored(proposal).state, rename.runs, refusals(proposal)) == (State.PARKED, [], [code])


def test_the_machine_refuses_the_maker_too(proposal, who):
    with pytest.raises(Denied):
        perform(proposal.confirm, by=who.alice_again, checker=who.bob, checker_human=who.bob.human_id, at=Now())


def test_a_second_click_finds_it_decided(proposal, who, rename):
    confirm(proposal, by=who.bob)
    with pytest.raises(AlreadyDecided) as overtaken:
        confirm(proposal, by=who.bob)
    assert (overtaken.value.proposal.state, len(rename.runs)) == (State.PERFORMED, 1)
    with pytest.raises(AlreadyDecided):
        send_back(proposal, by=who.erin, note="No")


def test_changed_evidence_voids_it_and_says_what_changed(proposal, who, rename, team):
    Team.objects.filter(pk=team.pk).update(slug="desk-2")
    with pytest.raises(EvidenceChanged) as changed:
        confirm(proposal, by=who.bob)
    assert (stored(proposal).state, rename.runs, changed.value.changed) == (State.VOIDED, [], ["slug"])
    assert facts(done(proposal, "proposals.void").get())["data"]["changed"] == ["slug"]
    with pytest.raises(EvidenceChanged) as again:
        confirm(proposal, by=who.erin)
    assert again.value.changed == ["slug"]


def test_a_change_that_is_no_evidence_voids_nothing(proposal, who, team):
    Team.objects.filter(pk=team.pk).update(name="Desk, with a note")
    assert confirm(proposal, by=who.bob).state == State.PERFORMED


def test_a_subject_that_is_gone_voids_it(proposal, who, rename, team):
    team.delete()
    with pytest.raises(EvidenceChanged):
        confirm(proposal, by=who.bob)
    assert (stored(proposal).state, rename.runs) == (State.VOIDED, [])


def test_somebody_without_a_right_cannot_void_it(proposal, who, team):
    Team.objects.filter(pk=team.pk).update(slug="desk-2")
    with pytest.raises(Denied):
        confirm(proposal, by=who.carol)
    assert stored(proposal).state == State.PARKED


def test_an_act_that_fails_leaves_it_waiting(proposal, who, rename, team):
    rename.fails_with = ConditionsNotMet(["The name is taken."])
    with pytest.raises(ConditionsNotMet):
        confirm(proposal, by=who.bob)
    assert (stored(proposal).state, Team.objects.get(pk=team.pk).name) == (State.PARKED, "Desk")
    assert done(proposal, "proposals.confirm").count() == 0


def test_a_confirmation_inside_another_transaction_is_refused(proposal, who):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        confirm(proposal, by=who.bob)


# ------------------------------------------------------------------------------------------------- named checker
def test_a_named_person_alone_may_decide(who, team, rename):
    proposal = propose(NAME, team, by=who.alice, reason="growing", checker=who.erin)
    with pytest.raises(OtherCheckerNamed):
        confirm(proposal, by=who.bob)
    assert refusals(proposal) == ["other_checker_named"]
    assert confirm(proposal, by=who.erin).state == State.PERFORMED


@pytest.mark.parametrize("name", ["alice_again", "carol", "dave"])
def test_nobody_can_name_themselves_or_somebody_who_may_not(who, team, name):
    with pytest.raises(ConditionsNotMet):
        propose(NAME, team, by=who.alice, reason="growing", checker=getattr(who, name))


# ------------------------------------------------------------------------------------------------- other endings
def test_it_is_sent_back_with_words(proposal, who, rename):
    returned = send_back(proposal, by=who.bob, note="Önce fotoğraf")
    assert (returned.state, answer_of(returned), rename.runs) == (State.RETURNED, "Önce fotoğraf", [])


def test_sending_back_needs_words(proposal, who):
    with pytest.raises(ConditionsNotMet):
        send_back(proposal, by=who.bob, note="  ")


def test_the_maker_withdraws_it_under_any_sign_in(proposal, who):
    with pytest.raises(Denied):
        withdraw(proposal, by=who.bob)
    assert withdraw(proposal, by=who.alice_again).state == State.WITHDRAWN
    with pytest.raises(AlreadyDecided):
        withdraw(proposal, by=who.alice)


def test_an_expired_proposal_changes_nothing(proposal, who, rename, team):
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=Now())
    assert expire_overdue() == 1
    assert (stored(proposal).state, rename.runs) == (State.EXPIRED, [])
    assert facts(done(proposal, "proposals.expire").get())["actor"]["t"] == "system"
    assert expire_overdue() == 0


def test_it_expires_on_the_minute_even_when_no_sweep_ran(proposal, who, rename):
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=Now())
    with pytest.raises(AlreadyDecided):
        confirm(proposal, by=who.bob)
    assert (stored(proposal).state, rename.runs) == (State.EXPIRED, [])


# ------------------------------------------------------------------------------------------------ the act's guard
def test_a_heavy_act_refuses_to_run_without_a_second_person(who, team, rename):
    with pytest.raises(SecondPersonNeeded, match="dear to us"):
        rename.run(team, by=who.bob, reason="growing", proposal=None, maker="")


@pytest.mark.parametrize("made_up", [str(uuid.uuid4()), "parked"])
def test_a_made_up_or_waiting_proposal_opens_nothing(proposal, team, made_up):
    with pytest.raises(SecondPersonNeeded):
        require_second_person(NAME, team, proposal=str(proposal.pk) if made_up == "parked" else made_up)


def test_where_policy_asks_for_one_person_the_act_runs(team, rename, who):
    rename.two = False
    rename.run(team, by=who.bob, reason="growing", proposal=None, maker="")
    assert len(rename.runs) == 1


# ---------------------------------------------------------------------------------------------------- the database
def insert(proposal, **fields):
    """A row as somebody with SQL would write it: no machine, no service."""
    row = stored(proposal)
    names = [field.attname for field in Proposal._meta.concrete_fields]
    given = {name: getattr(row, name) for name in names} | {"id": uuid.uuid4(), "subject_id": uuid.uuid4()} | fields
    Proposal(**given).save(force_insert=True)


@pytest.mark.parametrize(
    "fields",
    [
        lambda who, row: {"state": "approved"},
        lambda who, row: {"state": "performed", "decided_at": Now()},
        lambda who, row: {"state": "returned", "decided_at": Now()},
        lambda who, row: {
            "state": "performed",
            "decided_at": Now(),
            "checker_id": who.alice_again.pk,
            "checker_human_id": who.alice.human_id,
        },
        lambda who, row: {
            "state": "parked",
            "checker_id": who.bob.pk,
            "checker_human_id": who.bob.human_id,
        },
        lambda who, row: {"state": "performed", "decided_at": Now(), "checker_human_id": who.bob.human_id},
        lambda who, row: {"state": "expired"},
        lambda who, row: {"subject_id": row.subject_id},
    ],
    ids=[
        "unknown state",
        "performed by nobody",
        "returned by nobody",
        "maker is checker",
        "checker while parked",
        "human without sign-in",
        "ended without a time",
        "two open on one subject",
    ],
)
def test_the_database_refuses(proposal, who, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(proposal, **fields(who, proposal))


def test_the_database_takes_what_the_machine_allows(proposal, who):
    insert(
        proposal,
        state="performed",
        decided_at=Now(),
        checker_id=who.bob.pk,
        checker_human_id=who.bob.human_id,
    )


def test_no_state_moves_in_bulk(proposal):
    with pytest.raises(StateMovesOnlyThroughPerform):
        Proposal.objects.filter(pk=proposal.pk).update(state="performed")
    with pytest.raises(StateMovesOnlyThroughPerform):
        Proposal.objects.bulk_update([proposal], ["state"])
