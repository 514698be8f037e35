"""A player's risk: reckoned from facts with the arithmetic shown, set by an officer for a time, looked at again."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases.models import Case, Evidence, Message
from cases.types.verification import services
from cases.types.verification.risk import deciding, enhanced, following, rating
from cases.types.verification.risk import services as risk
from cases.types.verification.risk.models import Assessment, Override, Profile
from compliance.outbox.models import OutboxRow
from compliance.people.models import Customer, RiskFact, User
from compliance.people.risk import LEARNED, learn
from compliance.people.services import create_user, join
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm
from tests.verification.conftest import completed
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


def level(case):
    return Customer.objects.get(pk=case.customer_id).risk


def today(case):
    return case.licensee.today()


def deliver(case):
    """What a worker does with what was learned."""
    for row in OutboxRow.objects.filter(kind=LEARNED, payload__customer_id=str(case.customer_id), done_at=None):
        following.learned(row)
        OutboxRow.objects.filter(pk=row.pk).update(done_at=Now())
    for row in OutboxRow.objects.filter(kind="risk.reckoned", payload__customer_id=str(case.customer_id), done_at=None):
        following.reckoned(row)
        OutboxRow.objects.filter(pk=row.pk).update(done_at=Now())


def approved(case, world):
    case = completed(case, by=world.alice)
    if services.needs_two(case, "verification.approve").two:
        services.submit(case, "approve", by=world.alice, reason="all_checks_met", note="", seen=_seen(case))
        confirm(Proposal.objects.parked().get(subject_id=case.pk), by=world.bob)
    return type(case).objects.get(pk=case.pk)


def _seen(case):
    return services.rules.evidence_digest(case).hex()


# -------------------------------------------------------------------------------------------------- the arithmetic
def test_an_approval_reckons_the_risk_and_starts_the_cycle(case, world):
    """OP.REVIEW_LOW: 36 months."""
    case = approved(case, world)
    assert level(case) == "low"
    profile = Profile.objects.get(customer=case.customer_id)
    assert (profile.review_on.year - today(case).year, profile.review_on.month) == (3, today(case).month)
    assert profile.assessment.basis[0].startswith("RISK-") and len(profile.assessment.basis) >= 4


def test_a_fact_by_hand_raises_the_level_at_once_with_its_arithmetic(case, world, client):
    risk.enter(case, "pep", by=world.alice, known_on=today(case))
    assert level(case) == "high"
    made = Assessment.objects.get(customer=case.customer_id)
    assert [part["code"] for part in rating.parts_of(made)] == ["pep"]
    entry = Entry.objects.filter(action="risk.assess").latest("id")
    assert b"pep" not in bytes(entry.entry) and b"high" in bytes(entry.entry)
    client.force_login(world.alice)
    page = client.get(reverse("cases:risk", args=[case.number])).content.decode()
    assert "Politically exposed person" in page and "OP.RISK.PEP" in page and "60" in page
    client.force_login(world.mallory)
    assert client.get(reverse("cases:risk", args=[case.number])).status_code == 404


@pytest.mark.parametrize(
    ("nationality", "expected"), [("TR", "low"), ("BG", "medium"), ("RU", "high"), ("KP", "high"), ("", "low")]
)
def test_the_lists_of_the_day_count(world, nationality, expected):
    account = world.account(nationality=nationality or "TR")
    Customer.objects.filter(pk=account.customer_id).update(nationality=nationality)
    assert risk.assess(account.customer, by=system(), because="verified").level == expected


def test_nothing_is_written_when_nothing_changed(case, world):
    first = risk.assess(case.customer, by=system(), because="lists_changed")
    assert risk.assess(case.customer, by=system(), because="lists_changed") == first
    Assessment.objects.update(basis=["RISK-2026-01-01", "an older list"])
    assert risk.reckon_again() == 1 and risk.reckon_again() == 0


def test_a_wrong_fact_is_named_and_an_auditor_enters_none(case, world, client):
    for given in (
        {"code": "same_file"},
        {"known_on": today(case) + timedelta(days=1)},
        {"until": today(case) - timedelta(days=1)},
    ):
        facts = {"code": "vip", "known_on": today(case)} | given
        with pytest.raises(ValidationError, match="|".join(given)):
            risk.enter(case, facts.pop("code"), by=world.alice, **facts)
    with pytest.raises(Denied):
        risk.enter(case, "vip", by=world.carol, known_on=today(case))
    client.force_login(world.alice)
    assert client.post(reverse("cases:risk", args=[case.number]), {"code": "vip"}).status_code == 422
    assert not RiskFact.objects.exists()


def test_every_fact_that_the_page_offers_can_be_kept_and_is_said_in_its_language(case, world, client):
    client.force_login(world.alice)
    User.objects.filter(pk=world.alice.pk).update(language="tr")
    address = reverse("cases:risk", args=[case.number])
    box = re.search(r'<select name="code".*?</select>', client.get(address).content.decode(), re.DOTALL)[0]
    offered = dict(re.findall(r'<option value="(\w+)"[^>]*>([^<]+)<', box))
    assert "Yüksek riskli ülkede oturuyor, oradan ödüyor veya giriyor" in offered.values()
    for code in offered:
        given = {"code": code, "known_on": today(case).isoformat()}
        assert client.post(address, given).status_code == 302
    assert set(RiskFact.objects.values_list("code", flat=True)) == set(offered) and len(offered) > 5


def test_a_fact_ends_by_whoever_decides_or_by_its_last_day(case, world):
    risk.enter(case, "vip", by=world.alice, known_on=today(case), until=today(case))
    fact = RiskFact.objects.get()
    with pytest.raises(Denied):
        risk.end_fact(case, fact.pk, by=world.alice, reason="does_not_hold")
    risk.end_fact(case, fact.pk, by=world.bob, reason="does_not_hold")
    assert level(case) == "medium", "one person alone lowers nothing"
    until = today(case) + timedelta(days=30)
    case.customer.refresh_from_db()
    assert deciding.need(case.customer, level="low", until=str(until)).two
    assert deciding.need(case.customer, level="medium", until=str(today(case))).two, "nor ends it sooner"
    assert risk.unmet_override(case.customer, "low", until) == [], "two may lower it now"
    over = learn(
        case.customer,
        "vip",
        source="risk",
        known_on=today(case) - timedelta(days=9),
        until=today(case) - timedelta(days=1),
        by=system(),
    )
    assert risk.assess(case.customer, by=system(), because="new_fact").score == 0
    with pytest.raises(Http404):
        risk.end_fact(case, over.pk, by=world.bob, reason="does_not_hold")


# ---------------------------------------------------------------------------------------------------- an override
def test_an_officer_raises_alone_and_lowering_takes_two(case, world, client):
    risk.enter(case, "adverse_media", by=world.alice, known_on=today(case))
    until = today(case) + timedelta(days=30)
    client.force_login(world.bob)
    page = reverse("cases:risk-override", args=[case.number])
    typed = {"level": "high", "reason": "more_than_counted", "until": until.isoformat(), "note": "A tip."}
    assert client.post(page, typed).status_code == 302
    assert level(case) == "high"
    assert client.post(page, typed | {"level": "low", "reason": "fact_explained"}).status_code == 302
    assert level(case) == "high"
    with pytest.raises(SecondPersonNeeded):
        risk.override(case.customer, by=world.erin, reason="fact_explained", level="low", until=until)
    confirm(Proposal.objects.parked().get(act="risk.override"), by=world.erin)
    assert level(case) == "low"
    assert Override.objects.filter(ended_at=None).count() == 1
    assert Assessment.objects.latest("assessed_at").reckoned == "medium"


def test_nobody_sets_a_level_below_what_a_fact_asks_for_nor_for_ever(case, world):
    """OP.RISK.PEP"""
    risk.enter(case, "pep", by=world.alice, known_on=today(case))
    for given in (
        {"level": "medium"},
        {"until": today(case) + timedelta(days=400)},
        {"until": today(case) - timedelta(days=1)},
    ):
        facts = {"level": "high", "until": today(case)} | given
        assert risk.unmet_override(case.customer, **facts)
    with pytest.raises(ConditionsNotMet):
        risk.set_level(case, by=world.bob, reason="authority", level="high", until=today(case) + timedelta(days=400))
    with pytest.raises(Denied):
        risk.set_level(case, by=world.alice, reason="authority", level="high", until=today(case))


def test_a_lowered_level_is_not_extended_by_one_and_a_raise_is_a_floor(case, world):
    risk.enter(case, "adverse_media", by=world.alice, known_on=today(case))
    Override.objects.create(
        customer=case.customer,
        level="low",
        reason="fact_explained",
        made_by=world.bob,
        made_at=timezone.now(),
        until=today(case),
        by_two=True,
    )
    risk.assess(case.customer, by=system(), because="override")
    assert level(case) == "low"
    with pytest.raises(SecondPersonNeeded):
        risk.set_level(case, by=world.bob, reason="authority", level="low", until=today(case) + timedelta(days=9))
    risk.set_level(case, by=world.bob, reason="authority", level="medium", until=today(case))
    risk.enter(case, "vip", by=world.alice, known_on=today(case))
    made = Assessment.objects.latest("assessed_at")
    assert made.level == made.reckoned == level(case)


def test_an_override_ends_by_itself(case, world):
    risk.set_level(case, by=world.bob, reason="authority", level="high", until=today(case))
    assert risk.end_overrides() == 0
    Override.objects.update(until=today(case) - timedelta(days=1))
    assert risk.end_overrides() == 1
    assert level(case) == "low"
    assert Entry.objects.filter(action="risk.end_override").count() == 1


# ---------------------------------------------------------------------------------------------------------- reviews
def test_a_new_fact_opens_a_review_at_once_and_the_player_hears_nothing_yet(case, world):
    """EU.REVIEW.EVENT, which the operator follows everywhere."""
    case = approved(case, world)
    learn(case.customer, "funds_do_not_match", source="monitoring", known_on=today(case), by=system())
    deliver(case)
    review = Case.objects.get(customer=case.customer_id, closed_at=None)
    facts = review.verification_facts
    assert (facts.because, facts.level, level(case)) == ("new_fact", "L1", "medium")
    assert sorted(review.evidence.values_list("purpose", "state")) == [
        ("identity_back", "pending"),
        ("identity_front", "pending"),
    ]
    assert not Message.objects.filter(case=review).exists()
    learn(case.customer, "adverse_media", source="screening", known_on=today(case), by=system())
    deliver(case)
    assert Case.objects.filter(customer=case.customer_id, closed_at=None).count() == 1
    assert level(case) == "high"


def test_a_fact_about_whoever_was_never_verified_opens_nothing(case, world):
    services.withdraw(case, by=world.alice)
    learn(case.customer, "pep", source="screening", known_on=today(case), by=system())
    deliver(case)
    assert level(case) == "high"
    assert not Case.objects.filter(customer=case.customer_id, closed_at=None).exists()


def test_reviews_come_due_by_policy_and_high_risk_asks_for_more(case, world):
    """OP.REVIEW_HIGH: 12 months."""
    case = approved(case, world)
    risk.enter(case, "close_to_pep", by=world.alice, known_on=today(case))
    profile = Profile.objects.get(customer=case.customer_id)
    assert profile.review_on <= today(case) + timedelta(days=366)
    Profile.objects.update(review_on=today(case) - timedelta(days=1))  # whatever the hour
    assert following.open_due_reviews() == 1 and following.open_due_reviews() == 0
    review = Case.objects.get(customer=case.customer_id, closed_at=None)
    assert (review.verification_facts.because, review.verification_facts.level) == ("periodic", "L3")


def test_who_was_verified_before_gets_a_cycle_and_a_lapsed_review_does_not_come_back(case, world):
    case = approved(case, world)
    Case.objects.filter(pk=case.pk).update(
        opened_at=timezone.now() - timedelta(days=2001), closed_at=timezone.now() - timedelta(days=2000)
    )
    Profile.objects.all().delete()
    assert following.begin_cycles() == 1 and following.begin_cycles() == 0
    assert Profile.objects.get().review_on < today(case)
    assert following.open_due_reviews() == 1
    services.withdraw(type(case).objects.get(customer=case.customer_id, closed_at=None), by=world.alice)
    assert following.open_due_reviews() == 0


def test_a_paper_that_is_out_of_date_opens_a_review_that_asks_for_a_new_one(case, world, client):
    case = approved(case, world)
    Evidence.objects.filter(case=case, purpose="identity_front").update(good_until=timezone.now() - timedelta(days=2))
    client.force_login(world.alice)
    assert case.account.reference in client.get(reverse("cases:reviews-due")).content.decode()
    assert engine.expire_overdue() == 1
    review = Case.objects.get(customer=case.customer_id, closed_at=None)
    assert review.verification_facts.because == "expired"
    assert list(review.evidence.values_list("purpose", flat=True)) == ["identity_back"]


# --------------------------------------------------------------------------------------------------- tipping off
def test_a_fact_of_the_aml_side_leaves_nothing_outside(world, client):
    """A player with one and a twin with none: level, arithmetic, review date, rows, entries and page are equal."""
    flagged, twin = (approved(world.verification("L1"), world) for _both in range(2))
    before = {case.pk: _outside(case, world, client) for case in (flagged, twin)}
    learn(flagged.customer, "pep", source="investigation", known_on=today(flagged), by=system(), log="aml")
    for case in (flagged, twin):
        risk.assess(case.customer, by=system(), because="lists_changed")
        deliver(case)
    risk.reckon_again()
    assert {case.pk: _outside(case, world, client) for case in (flagged, twin)} == before
    assert _outside(flagged, world, client)[1:] == _outside(twin, world, client)[1:]
    client.force_login(world.bob)
    assert client.get(reverse("cases:risk-inside", args=[flagged.customer_id])).status_code == 404


def _outside(case, world, client):
    client.force_login(world.alice)
    page = client.get(reverse("cases:risk", args=[case.number])).content.decode()
    customer = Customer.objects.get(pk=case.customer_id)
    profile = Profile.objects.get(customer=customer)
    return (
        len(page),
        customer.risk,
        profile.review_on,
        profile.assessment.score,
        Assessment.objects.filter(customer=customer).count(),
        Case.objects.filter(customer=customer).count(),
        OutboxRow.objects.filter(kind=LEARNED, payload__customer_id=str(customer.pk)).count(),
        Entry.objects.filter(log="main", subject_id=str(customer.pk)).exclude(action="audit.read").count(),
    )


def test_inside_the_compartment_the_whole_is_reckoned_and_kept_nowhere(case, world, client):
    reader = create_user(email="rita@example.com", name="Rita", password=PASSWORD, by=system())
    join(reader, world.team, "mlro", by=system())
    learn(case.customer, "pep", source="investigation", known_on=today(case), by=system(), log="aml")
    client.force_login(reader)
    page = client.get(reverse("cases:risk-inside", args=[case.customer_id])).content.decode()
    assert "Politically exposed person" in page and "AML side" in page
    assert level(case) == "medium" and not Assessment.objects.exists()
    assert [entry.log for entry in Entry.objects.filter(action="risk.look_inside")] == ["aml"]


def test_what_only_the_aml_side_knows_names_no_measures(world):
    case = world.verification("L3")
    learn(case.customer, "pep", source="monitoring", known_on=world.licensee.today(), by=system(), log="aml")
    assert enhanced.measures_of(case) is None
