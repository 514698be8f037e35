"""The approvals pages: what waits, the facts and consequences, and the buttons of whoever looks."""

import re
from dataclasses import replace

import pytest
from django.db.models.functions import Now
from django.test import Client

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.outbox.models import OutboxRow
from compliance.people.models import Team
from compliance.people.services import join
from compliance.proposals import acts, escalation
from compliance.proposals.models import Proposal, State
from compliance.proposals.queries import expired_for, waiting_for
from compliance.proposals.services import confirm, expire_overdue, propose
from tests.proposals.conftest import NAME, facts

BACKEND = "compliance.people.access.backend.StaffBackend"


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def proposal(who, team):
    return propose(NAME, team, by=who.alice, reason="growing", note="Please look at the slug")


@pytest.fixture
def bob(who):
    return signed_in(who.bob)


def at(proposal, verb=""):
    return f"/approvals/{proposal.pk}/{verb}"


def buttons(page):
    return set(re.findall(r'action="/approvals/[^"]+/([a-z-]+)/"', page.content.decode()))


# --------------------------------------------------------------------------------------------------------- lists
def test_what_waits_is_listed_for_who_may_decide_it(proposal, who):
    lists = {
        name: list(waiting_for(getattr(who, name))) for name in ("alice", "alice_again", "bob", "erin", "carol", "dave")
    }
    assert lists == {"alice": [], "alice_again": [], "bob": [proposal], "erin": [proposal], "carol": [], "dave": []}


def test_what_names_somebody_is_listed_for_that_person_only(who, team):
    proposal = propose(NAME, team, by=who.alice, reason="growing", checker=who.erin)
    assert (list(waiting_for(who.bob)), list(waiting_for(who.erin))) == ([], [proposal])


def test_what_is_listed_can_be_opened_and_nothing_else(proposal, who):
    for name in ("bob", "erin", "carol"):
        user = getattr(who, name)
        listed = proposal in waiting_for(user)
        assert (signed_in(user).get(at(proposal)).status_code == 200) == listed


def test_what_expired_stays_in_sight_until_it_is_proposed_again(proposal, who, team):
    Proposal.objects.update(expires_at=Now())
    expire_overdue()
    assert (list(waiting_for(who.bob)), list(expired_for(who.bob))) == ([], [proposal])
    Proposal.objects.filter(pk=proposal.pk).update(created_at="2026-01-01T00:00:00Z")
    propose(NAME, team, by=who.alice, reason="growing")
    assert list(expired_for(who.bob)) == []


def test_the_page_lists_them_in_the_same_number_of_queries(who, bob, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(60) as queries:
            page = bob.get("/approvals/")
        return len(queries), len(page.context["waiting"])

    propose(NAME, Team.objects.create(name="a", slug="a"), by=who.alice, reason="growing")
    bob.get("/approvals/")
    few = count()
    for number in range(8):
        propose(NAME, Team.objects.create(name=f"t{number}", slug=f"t{number}"), by=who.alice, reason="growing")
    assert (few[1], count()) == (1, (few[0], 9))


def test_the_empty_page_says_so(bob):
    assert "Nothing waits for you" in bob.get("/approvals/").content.decode()


# ------------------------------------------------------------------------------------------------------ one page
def test_the_page_says_who_why_and_what_will_happen(proposal, bob):
    words = bob.get(at(proposal)).content.decode()
    for said in (
        "Rename the team",
        "Alice",
        "growing",
        "Please look at the slug",
        "Desk",
        "teams are dear to us",
        "TR-2026-02-01",
        "The team gets a longer name.",
        "/teams/desk/",
    ):
        assert said in words, said


def test_each_sees_the_buttons_that_work_for_them(proposal, who, bob):
    assert buttons(bob.get(at(proposal))) == {"confirm", "send-back"}
    assert buttons(signed_in(who.alice).get(at(proposal))) == {"withdraw"}
    assert buttons(signed_in(who.alice_again).get(at(proposal))) == {"withdraw"}


def test_strangers_get_404_everywhere(proposal, who):
    carol = signed_in(who.carol)
    answers = [
        carol.get(at(proposal)),
        *(carol.post(at(proposal, verb)) for verb in ("confirm/", "send-back/", "withdraw/")),
    ]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize("verb", ["confirm/", "send-back/", "withdraw/"])
def test_looking_changes_nothing(proposal, bob, verb):
    assert bob.get(at(proposal, verb)).status_code == 405


def test_another_site_cannot_press_the_button(proposal, who):
    client = signed_in(who.bob, enforce_csrf_checks=True)
    assert client.post(at(proposal, "confirm/")).status_code == 403
    assert Proposal.objects.get().state == State.PARKED


def test_confirming_runs_the_act_and_goes_back_to_the_list(proposal, bob, rename):
    answer = bob.post(at(proposal, "confirm/"), follow=True)
    assert answer.redirect_chain == [("/approvals/", 302)]
    assert "Confirmed: Rename the team" in answer.content.decode()
    assert len(rename.runs) == 1


def test_a_double_click_happens_once_and_says_so(proposal, bob, rename):
    bob.post(at(proposal, "confirm/"))
    again = bob.post(at(proposal, "confirm/"))
    assert (again.status_code, len(rename.runs)) == (409, 1)
    assert "You decided this yourself. It happened once." in again.content.decode()


def test_whoever_comes_second_is_told_how_it_stands(proposal, who, bob):
    confirm(proposal, by=who.erin)
    again = bob.post(at(proposal, "confirm/"))
    assert again.status_code == 409
    assert "already decided" in again.content.decode()
    assert "Erin" in again.content.decode()
    assert buttons(again) == set()


@pytest.mark.parametrize("name", ["alice", "alice_again"])
def test_the_maker_gets_403_under_any_sign_in(proposal, who, rename, name):
    answer = signed_in(getattr(who, name)).post(at(proposal, "confirm/"))
    assert (answer.status_code, rename.runs) == (403, [])


def test_changed_evidence_is_named(proposal, bob, team):
    Team.objects.filter(pk=team.pk).update(slug="desk-2")
    answer = bob.post(at(proposal, "confirm/"))
    assert answer.status_code == 409
    assert "slug" in answer.content.decode()
    assert "proposal is void" in answer.content.decode()
    assert buttons(answer) == set()


def test_what_is_missing_now_is_said(proposal, bob, rename):
    rename.fails_with = ConditionsNotMet(["A photo is missing."])
    answer = bob.post(at(proposal, "confirm/"))
    assert answer.status_code == 422
    assert "A photo is missing." in answer.content.decode()
    assert buttons(answer) == {"confirm", "send-back"}


def test_sending_back_needs_words_and_shows_them_to_the_maker(proposal, who, bob):
    assert bob.post(at(proposal, "send-back/"), {"note": " "}).status_code == 422
    assert bob.post(at(proposal, "send-back/"), {"note": "Önce fotoğraf"}).status_code == 302
    assert "Önce fotoğraf" in signed_in(who.alice).get(at(proposal)).content.decode()


def test_the_maker_withdraws_and_goes_to_the_matter(proposal, who):
    answer = signed_in(who.alice).post(at(proposal, "withdraw/"))
    assert (answer.status_code, answer["Location"]) == (302, "/teams/desk/")
    assert Proposal.objects.get().state == State.WITHDRAWN


def test_looking_at_the_matter_of_a_player_is_recorded(proposal, bob, who):
    Proposal.objects.update(key_kind="customer", note_sealed=None)
    bob.get(at(proposal))
    bob.get(at(proposal))
    entry = Entry.objects.filter(action="audit.read", object_id=str(proposal.pk)).get()
    assert (facts(entry)["data"]["purpose"], entry.actor_id) == ("approval", str(who.bob.pk))


def test_a_named_other_is_told_apart(who, team, bob):
    proposal = propose(NAME, team, by=who.alice, reason="growing", checker=who.erin)
    page = bob.get(at(proposal))
    assert buttons(page) == set()
    assert "submitted to somebody else" in page.content.decode()
    assert bob.post(at(proposal, "confirm/")).status_code == 403


# ---------------------------------------------------------------------------------------------------- escalation
def test_what_expired_is_written_to_the_managers_of_the_makers_team_once(proposal, who, team, mailoutbox):
    erin = who.erin
    for user, role in ((who.alice, "agent"), (erin, "manager"), (who.carol, "manager")):  # Carol may not decide it
        join(user, team, role, by=system())
    Proposal.objects.update(expires_at=Now())
    expire_overdue()
    row = OutboxRow.objects.get(kind="proposals.escalate")
    for _again in range(2):
        escalation.deliver(row)
    assert [mail.to for mail in mailoutbox] == [[erin.email]]
    said = mailoutbox[0].subject + mailoutbox[0].body
    assert "Rename the team" not in said and team.slug not in said
    assert facts(Entry.objects.get(action="proposals.escalate"))["data"]["managers"] == [str(erin.pk)]
    assert Proposal.objects.get().state == State.EXPIRED


def test_a_manager_who_may_not_see_the_matter_is_not_told(proposal, who, team, rename, mailoutbox, monkeypatch):
    for user, role in ((who.alice, "agent"), (who.erin, "manager"), (who.carol, "manager")):
        join(user, team, role, by=system())
    sees = replace(rename.act(), sees=lambda subject, user: user == who.carol and subject == team)
    monkeypatch.setitem(acts._acts, NAME, sees)
    Proposal.objects.update(expires_at=Now())
    expire_overdue()
    escalation.deliver(OutboxRow.objects.get(kind="proposals.escalate"))
    assert [mail.to for mail in mailoutbox] == [[who.carol.email]]


def test_a_maker_who_manages_is_not_told_by_any_sign_in(proposal, who, team, mailoutbox):
    join(who.alice, team, "agent", by=system())
    join(who.alice_again, team, "manager", by=system())
    Proposal.objects.update(expires_at=Now())
    expire_overdue()
    escalation.deliver(OutboxRow.objects.get(kind="proposals.escalate"))
    assert mailoutbox == []
