"""Endings by a person: withdrawn, under age, deceased, impersonated."""

from datetime import timedelta
from html import unescape

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.models import Message
from cases.types.verification import endings, rules, services
from compliance.people.models import Restriction, RiskFact
from compliance.people.restrictions import in_force
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm, propose, send_back
from tests.cases.test_api import platform

pytestmark = pytest.mark.django_db

PROTECTIVE = {
    "close_underage": ("underage", "document_shows_age", "closed_underage"),
    "close_deceased": ("deceased", "told_by_family", None),
    "close_impersonated": ("impersonated", "owner_complained", "rejected"),
}
every_protective_ending = pytest.mark.parametrize(
    ("act", "outcome", "reason", "letter"), [(act, *rest) for act, rest in PROTECTIVE.items()], ids=PROTECTIVE
)


def fresh(case):
    return type(case).objects.get(pk=case.pk)


def decide(client, user, case, act, **typed):
    """Press the button of the decision page."""
    client.force_login(user)
    page = reverse("cases:verification-decide", kwargs={"number": case.number, "act": act})
    return client.post(page, {"seen": rules.evidence_digest(fresh(case)).hex(), "note": "", **typed})


def effects(case):
    return {
        effect for row in in_force(case.customer) for effect in Restriction.EFFECTS if getattr(row, f"stops_{effect}")
    }


# ---------------------------------------------------------------------------------------------------- withdrawn
def test_an_agent_withdraws_alone_and_play_stops_but_withdrawals_do_not(case, world, client):
    assert decide(client, world.alice, case, "withdraw", reason="player_asked").status_code == 302
    assert (fresh(case).state, fresh(case).outcome) == ("closed", "withdrawn")
    assert effects(case) == {"deposit", "play"}
    assert Message.objects.filter(case=case, code="withdrawn").count() == 1


def test_the_platform_withdraws_for_its_player(case, world, client):
    answer = platform(world, client).post(f"/verifications/{case.number}/withdraw", {})
    assert (answer.status_code, answer.json()["state"]) == (200, "finished")
    assert fresh(case).outcome == "withdrawn"
    assert Entry.objects.get(matter=case.number, action="verification.withdraw").actor_kind == "key"


def test_what_is_closed_is_not_withdrawn(case, world, client):
    services.withdraw(case, by=world.alice)
    assert decide(client, world.alice, case, "withdraw", reason="player_asked").status_code == 409


# --------------------------------------------------------------------------------------------------- protective
@every_protective_ending
def test_one_person_stops_the_account_at_once_and_two_close(case, world, client, act, outcome, reason, letter):
    assert decide(client, world.alice, case, act, reason=reason).status_code == 302
    assert (fresh(case).state, effects(case)) == ("open", set(Restriction.EFFECTS))
    proposal = Proposal.objects.get(subject_id=case.pk, act=f"verification.{act}")
    client.force_login(world.bob)
    assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 302
    assert (fresh(case).state, fresh(case).outcome, fresh(case).reason) == ("closed", outcome, reason)
    assert Restriction.objects.filter(source="verification", lifted_at=None).count() == 1
    assert list(RiskFact.objects.filter(customer=case.customer).values_list("code", "source")) == [
        (outcome, "verification")
    ]
    sent = list(Message.objects.filter(case=case).exclude(code="received").values_list("code", flat=True))
    assert sent == ([letter] if letter else [])


@every_protective_ending
def test_the_account_stops_even_when_the_page_was_stale(case, world, client, act, outcome, reason, letter):
    assert decide(client, world.alice, case, act, reason=reason, seen="00").status_code == 409
    assert effects(case) == set(Restriction.EFFECTS)
    assert not Proposal.objects.filter(subject_id=case.pk).exists()


def test_what_reaches_the_whole_person_is_stopped_beside_what_reaches_one_customer(case, world, client):
    decide(client, world.alice, case, "close_impersonated", reason="owner_complained")
    Proposal.objects.get(subject_id=case.pk).delete()
    decide(client, world.alice, case, "close_underage", reason="document_shows_age")
    reached = Restriction.objects.filter(lifted_at=None)
    assert {(row.customer_id, row.person_id) for row in reached} == {
        (case.customer_id, None),
        (None, case.customer.person_id),
    }


@every_protective_ending
def test_nobody_closes_alone(case, world, act, outcome, reason, letter):
    with pytest.raises(SecondPersonNeeded):
        services.ALONE[act](case, by=world.bob, reason=reason)
    assert fresh(case).state == "open"


@every_protective_ending
def test_an_auditor_stops_nothing(case, world, client, act, outcome, reason, letter):
    assert decide(client, world.carol, case, act, reason=reason).status_code == 403
    assert (effects(case), Proposal.objects.filter(subject_id=case.pk).count()) == (set(), 0)


@every_protective_ending
def test_the_page_has_the_script_and_says_what_happens_at_once(case, world, client, act, outcome, reason, letter):
    client.force_login(world.alice)
    words = unescape(client.get(reverse("cases:verification-decide", args=[case.number, act])).content.decode())
    assert "The account is stopped at once" in words
    assert "What we say to whoever asks" in words
    assert case.number in words.split("What we say to whoever asks")[1]


def test_each_ending_has_a_script_of_its_own(case):
    from_each = {str(endings.script(case, act)) for act in PROTECTIVE}
    assert len(from_each) == 3
    assert endings.script(case, "reject") is None


def test_whoever_used_a_stolen_identity_reads_nothing_of_it(case, world):
    services.submit(case, "close_impersonated", by=world.alice, reason="admitted", note="", seen=seen(case))
    confirm(Proposal.objects.get(subject_id=case.pk), by=world.bob)
    text = engine.message_text(Message.objects.get(case=case, code="rejected"))
    script = str(endings.script(case, "close_impersonated"))
    assert text != script
    assert "hesap açmış" not in text


def seen(case):
    return rules.evidence_digest(fresh(case)).hex()


def test_a_parked_approval_does_not_survive_the_stop(complete, world):
    approval = propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    services.submit(
        complete, "close_underage", by=world.alice, reason="register_shows_age", note="", seen=seen(complete)
    )
    with pytest.raises(ConditionsNotMet, match="stopped to protect"):
        confirm(approval, by=world.bob)
    assert fresh(complete).state == "in_review"


def test_sent_back_the_account_stays_stopped_until_two_lift_it(case, world, client):
    decide(client, world.alice, case, "close_underage", reason="document_shows_age")
    send_back(Proposal.objects.get(subject_id=case.pk), by=world.bob, note="This is the older brother.")
    assert effects(case) == set(Restriction.EFFECTS)
    assert decide(client, world.alice, case, "lift", reason="mistaken").status_code == 422  # time is part of it
    Restriction.objects.filter(person=case.customer.person_id).update(starts_at=Now() - timedelta(hours=25))
    assert decide(client, world.alice, case, "lift", reason="mistaken").status_code == 302
    assert effects(case) == set(Restriction.EFFECTS)
    confirm(Proposal.objects.get(subject_id=case.pk, act="verification.lift"), by=world.bob)
    assert effects(case) == set()


def test_under_age_reaches_the_person_everywhere_and_a_stolen_identity_this_customer(world, client):
    young, stolen = world.verification("L1"), world.verification("L1")
    decide(client, world.alice, young, "close_underage", reason="document_shows_age")
    decide(client, world.alice, stolen, "close_impersonated", reason="admitted")
    assert Restriction.objects.get(person=young.customer.person_id).cover_code == "account_closed"
    assert Restriction.objects.get(customer=stolen.customer).cover_code == "account_closed"


def test_stopping_twice_is_one_restriction(case, world, client):
    decide(client, world.alice, case, "close_deceased", reason="told_by_family")
    send_back(Proposal.objects.get(subject_id=case.pk), by=world.bob, note="Which certificate?")
    decide(client, world.alice, case, "close_deceased", reason="death_certificate")
    assert Restriction.objects.filter(person=case.customer.person_id).count() == 1


def test_a_refusal_for_a_forged_document_is_a_risk_fact_and_one_for_eligibility_is_none(world):
    for reason, facts in (("document_altered", 1), ("not_eligible", 0)):
        case = world.verification("L1")
        confirm(propose("verification.reject", case, by=world.alice, reason=reason), by=world.bob)
        assert RiskFact.objects.filter(customer=case.customer).count() == facts
    entry = Entry.objects.get(action="people.learn_risk")
    assert b"document_altered" not in bytes(entry.entry)


# ------------------------------------------------------------------------------------------------------- "More"
def test_the_rare_endings_stand_behind_more_and_the_usual_ones_do_not(case, world, client):
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", kwargs={"number": case.number})).content.decode()
    inside = page.split('<details id="more">')[1].split("</details>")[0]
    for act in ("withdraw", *PROTECTIVE):
        link = reverse("cases:verification-decide", kwargs={"number": case.number, "act": act})
        assert f'href="{link}"' in inside
        assert page.count(f'href="{link}"') == 1
    assert "decide/reject/" not in inside
    client.force_login(world.carol)
    assert "/decide/" not in client.get(reverse("cases:case", args=[case.number])).content.decode()


def test_what_protects_can_be_reached_while_another_decision_waits(complete, world, client):
    propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    client.force_login(world.bob)
    page = client.get(reverse("cases:case", kwargs={"number": complete.number})).content.decode()
    assert "decide/close_underage/" in page
