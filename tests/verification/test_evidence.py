"""Accepted evidence: until when it is good, who takes an acceptance back, and what follows for what rests on it."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, perform
from cases import services as engine
from cases.models import Evidence, Message
from cases.tasks import expire_evidence
from cases.types.verification import rules, services
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, propose
from tests.papers import bring

pytestmark = pytest.mark.django_db


def today():
    return timezone.localdate(timezone=ZoneInfo("Europe/Istanbul"))


def page_of(case, evidence, verb="review"):
    return reverse(f"cases:{verb}", kwargs={"number": case.number, "evidence_id": evidence.pk})


@pytest.fixture
def front(case, world):
    return bring(case, "identity_front", "national_id", by=world.alice, inspected=False)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def outdate(evidence, days=1):
    Evidence.objects.filter(pk=evidence.pk).update(
        valid_until=today() - timedelta(days=days), good_until=today() - timedelta(days=days)
    )


# -------------------------------------------------------------------------------------------------------- revoke
def test_an_officer_takes_an_acceptance_back_and_the_proposal_is_void_at_once(complete, world, client):
    proposal = propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    back = complete.evidence.get(purpose="identity_back")
    client.force_login(world.bob)
    typed = {"reason": "seen_later", "note": "The hologram is missing.", "version": back.version}
    assert client.post(page_of(complete, back, "revoke"), typed).status_code == 302
    assert (fresh(back).state, fresh(proposal).state) == ("pending", "voided")
    entry = Entry.objects.get(object_id=str(back.pk), action="evidence.revoke")
    assert b"seen_later" in bytes(entry.entry)
    assert b"hologram" not in bytes(entry.entry)


def test_an_agent_and_an_auditor_take_nothing_back(complete, world, client):
    back = complete.evidence.get(purpose="identity_back")
    for user in (world.alice, world.carol):
        client.force_login(user)
        assert "Take the acceptance back" not in client.get(page_of(complete, back)).content.decode()
        answer = client.post(page_of(complete, back, "revoke"), {"reason": "seen_later", "version": back.version})
        assert answer.status_code == 403
    assert fresh(back).state == "accepted"


def test_taking_back_needs_a_reason_and_the_page_says_so(complete, world, client):
    back = complete.evidence.get(purpose="identity_back")
    client.force_login(world.bob)
    answer = client.post(page_of(complete, back, "revoke"), {"reason": "", "version": back.version})
    assert answer.status_code == 422
    assert '<details id="more" open>' in answer.content.decode()


def test_a_stale_page_takes_nothing_back(complete, world, client):
    back = complete.evidence.get(purpose="identity_back")
    client.force_login(world.bob)
    answer = client.post(page_of(complete, back, "revoke"), {"reason": "seen_later", "version": back.version - 1})
    assert (answer.status_code, fresh(back).state) == (409, "accepted")


def test_after_the_decision_it_stays_as_it_was_judged(complete, world, client):
    confirm(propose("verification.approve", complete, by=world.alice, reason="all_checks_met"), by=world.bob)
    back = complete.evidence.get(purpose="identity_back")
    client.force_login(world.bob)
    assert "Take the acceptance back" not in client.get(page_of(complete, back)).content.decode()
    answer = client.post(page_of(complete, back, "revoke"), {"reason": "seen_later", "version": back.version})
    assert (answer.status_code, fresh(back).state) == (422, "accepted")


# --------------------------------------------------------------------------------------------------------- dates
def test_a_paper_is_good_until_its_last_day(case, front, world, client):
    client.force_login(world.alice)
    until = today() + timedelta(days=30)
    typed = {"verdict": "accept", "version": front.version, "valid_until": until.isoformat()}
    assert client.post(page_of(case, front), typed).status_code == 302
    assert fresh(front).good_until == until
    entry = Entry.objects.get(object_id=str(front.pk), action="evidence.accept")
    assert until.isoformat().encode() not in bytes(entry.entry)


def test_a_paper_without_dates_is_good_for_ever(front, world):
    assert engine.accept(front, by=world.alice).good_until is None


def test_a_paper_that_is_out_of_date_is_not_accepted(case, front, world, client):
    client.force_login(world.alice)
    typed = {"verdict": "accept", "version": front.version, "valid_until": (today() - timedelta(days=1)).isoformat()}
    answer = client.post(page_of(case, front), typed)
    assert (answer.status_code, "out of date" in answer.content.decode()) == (422, True)
    assert engine.accept(front, by=world.alice, valid_until=today()).state == "accepted"


@pytest.mark.parametrize(("age", "taken"), [(90, True), (91, False), (-1, False)])
def test_how_old_a_paper_may_be_follows_the_pinned_policy(world, age, taken):
    case = world.verification("L2")
    bill = bring(case, "address", "utility_bill", by=world.alice, inspected=False)
    issued_on = today() - timedelta(days=age)
    if taken:
        assert engine.accept(bill, by=world.alice, issued_on=issued_on).issued_on == issued_on
    else:
        with pytest.raises(ConditionsNotMet):
            engine.accept(bill, by=world.alice, issued_on=issued_on)


def test_what_the_policy_bounds_is_good_for_that_long_or_as_long_as_the_paper(world):
    case = world.verification("L3")
    payslip = bring(case, "funds", "payslip", by=world.alice, inspected=False)
    assert rules.age(payslip, None, date(2027, 2, 28)) == (date(2028, 2, 28), [])
    soon = today() + timedelta(days=10)
    assert engine.accept(payslip, by=world.alice, valid_until=soon).good_until == soon


# -------------------------------------------------------------------------------------------------------- expire
def test_out_of_date_it_proves_nothing_and_what_rests_on_it_is_void(complete, world):
    proposal = propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    front = complete.evidence.get(purpose="identity_front")
    outdate(front)
    expire_evidence()
    assert (fresh(front).state, fresh(front).reasons) == ("expired", ["doc_expired"])
    assert fresh(proposal).state == "voided"
    assert rules.missing_evidence(complete) == ["identity_front"]
    assert engine.expire_overdue() == 0


def test_the_player_is_asked_for_another_one_and_the_answer_takes_its_place(complete, world):
    front = complete.evidence.get(purpose="identity_front")
    outdate(front)
    expire_evidence()
    case = services.ask(complete, by=world.alice)
    assert "geçerlilik tarihi geçmiş" in engine.message_text(Message.objects.get(case=case, code="request"))
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    assert fresh(case).state == "in_review"


def test_it_is_good_to_the_end_of_its_last_day(complete):
    front = complete.evidence.get(purpose="identity_front")
    outdate(front, days=0)
    assert engine.expire_overdue() == 0
    with pytest.raises(ConditionsNotMet, match="still good"):
        perform(front.expire, by=system(), reasons=["doc_expired"])


def test_an_approved_case_shows_it_too_and_its_decision_stands(complete, world, client):
    confirm(propose("verification.approve", complete, by=world.alice, reason="all_checks_met"), by=world.bob)
    front = complete.evidence.get(purpose="identity_front")
    outdate(front)
    expire_evidence()
    assert (fresh(front).state, fresh(complete).outcome) == ("expired", "approved")
    assert Proposal.objects.get(subject_id=complete.pk).state == "performed"
    client.force_login(world.carol)
    assert "Expired" in client.get(reverse("cases:case", args=[complete.number])).content.decode()


@pytest.mark.parametrize(
    ("language", "hold", "seen", "again"),
    [
        ("en", "beside your face", "the whole front of the document, with writing", "cannot be read"),
        ("tr", "yüzünüzün yanında", "ön yüzünün tamamı görünsün", "okunmuyor"),
    ],
)
def test_a_selfie_is_asked_for_with_the_document_in_hand(world, language, hold, seen, again):
    """OP.KYC.SELFIE: what to hold and what must be seen stands in the request, and again where it was not."""
    case = world.verification("L3")
    case.account.language = language
    selfie = [rule for rule in rules.asked(case) if rule.purpose == "selfie"]
    letter = rules.letter(case, due=rules.answer_due(case, case.opened_at), lacking=selfie)
    assert hold in letter and seen in letter
    told = {code: rules.told(case, "selfie", code) for code in ("selfie_document", "selfie_unclear")}
    assert again in told["selfie_document"] and all(hold in text for text in told.values())
    assert told["selfie_unclear"].version == 2
