"""Enhanced due diligence asks for the source of funds and of wealth at every level (OP.EDD.FUNDS, OP.EDD.WEALTH)."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, WrongState
from cases import services as engine
from cases.models import Message
from cases.types.verification import requirements, rules, services
from cases.types.verification.models import Requirement, Verification
from cases.types.verification.risk import enhanced, following
from cases.types.verification.risk import services as risk
from compliance.outbox.models import OutboxRow
from compliance.people.models import RiskFact
from compliance.people.risk import learn
from compliance.policy import policy_for
from compliance.policy.book import book
from compliance.proposals.models import Proposal
from tests.papers import bring
from tests.verification.conftest import completed

pytestmark = pytest.mark.django_db
BESIDES = ["funds", "wealth"]


def purposes(case):
    return [rule.purpose for rule in rules.asked(case)]


def deliver():
    """What a worker does after a sum was made anew."""
    for row in OutboxRow.objects.filter(kind=risk.RECKONED, done_at=None):
        following.reckoned(row)
        OutboxRow.objects.filter(pk=row.pk).update(done_at=Now())


def fresh(case):
    return Verification.objects.get(pk=case.pk)


def test_what_becomes_known_meanwhile_is_asked_for_and_nobody_approves_without(rules_of_the_24th, world):
    case = completed(world.verification("L1"), by=world.alice)
    assert purposes(case) == ["identity_front", "identity_back"] and enhanced.measures_of(case) is None
    seen = rules.evidence_digest(case).hex()
    services.submit(case, "approve", by=world.alice, reason="all_checks_met", note="", seen=seen)
    risk.enter(case, "adverse_media", by=world.alice, known_on=case.licensee.today())
    assert "Enhanced due diligence is called for by now." in fresh(case).unmet("approve")[0]
    deliver()
    deliver()  # twice does what once does
    case = fresh(case)
    assert purposes(case)[2:] == BESIDES == [rule.purpose for rule in requirements.lacking(case)]
    assert Proposal.objects.get(subject_id=case.pk).state == "voided"
    rows = Requirement.objects.filter(case=case, rule_id__startswith="OP.EDD")
    assert sorted(rows.values_list("rule_id", flat=True)) == ["OP.EDD.FUNDS", "OP.EDD.WEALTH"]
    assert Entry.objects.filter(action="verification.enhance").count() == 1
    standing = {str(one["title"]): str(one["standing"]) for one in enhanced.measures_of(case)}
    assert standing["source of wealth"] == "asked for, with the other items"
    services.ask(case, by=world.alice, missing=BESIDES)
    told = engine.message_text(Message.objects.filter(case=case).latest("written_at"))
    assert "Varlık belgesi: Birikiminizin veya malınızın nereden geldiğini gösteren bir belge." in told
    for purpose, paper in (("funds", "payslip"), ("wealth", "inheritance_document")):
        engine.accept(bring(case, purpose, paper, by=world.alice, inspected=False), by=world.alice)
    case = fresh(case)
    assert rules.evidence_is_complete(case) and case.unmet("approve") == []
    assert case.evidence.get(purpose="wealth").good_until is not None
    client = Client()
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert "Proof of wealth" in page and "OP.EDD.WEALTH" in page and "Source of wealth" in page


def test_what_is_known_before_is_asked_for_from_the_opening(rules_of_the_24th, world):
    """A country on the call-for-action list; L3 asks for proof of income anyway, and once only."""
    assert purposes(world.verification("L1", nationality="IR"))[2:] == BESIDES
    highest = purposes(world.verification("L3", nationality="IR"))
    assert highest[-1] == "wealth" and len(highest) == len(set(highest)) == 7
    language = "en"
    case = world.verification("L1", nationality="KP")
    case.account.language = language
    letter = rules.letter(case, due=rules.answer_due(case, case.opened_at), lacking=requirements.lacking(case))
    assert "Proof of wealth: A document that shows where your savings or property come from." in letter
    assert "tax return, bank statement, contract of sale, inheritance document" in letter


def test_what_only_the_aml_side_knows_asks_for_nothing(rules_of_the_24th, world):
    case = world.verification("L1")
    learn(case.customer, "pep", source="monitoring", known_on=case.licensee.today(), by=system(), log="aml")
    risk.assess(case.customer, by=system(), because="lists_changed")
    deliver()
    assert purposes(fresh(case)) == ["identity_front", "identity_back"]
    assert enhanced.measures_of(case) is None and case.unmet("approve")[-1].startswith("Not accepted yet")


def test_a_case_that_pinned_an_older_policy_asks_for_what_it_said(world, monkeypatch):
    case = world.verification("L1", nationality="IR")
    type(case).objects.filter(pk=case.pk).update(policy_version="TR-2026-11-23")
    case.verification_facts.enhanced = False
    case.verification_facts.save()
    risk.assess(case.customer, by=system(), because="lists_changed")
    deliver()
    case = fresh(case)
    assert purposes(case) == ["identity_front", "identity_back"]
    assert not [line for line in case.unmet("approve") if "Enhanced" in line]
    with pytest.raises(ConditionsNotMet):
        services.ask(case, by=world.alice, missing=["wealth"])


@pytest.mark.parametrize("place", sorted(book().by_jurisdiction))
def test_every_jurisdiction_names_measures_and_evidence(place):
    """Before EU-2027-07-10 too: the union's duty where it holds (EU.EDD.PEP_AMLD), else the operator's choice."""
    for version in book().by_jurisdiction[place]:
        if str(version.effective_from) >= "2026-11-24":
            policy = policy_for(place, on=version.effective_from)
            union = "EU" in (place, *policy.also)
            assert policy.enhanced.measures.id == (
                "OP.EDD.MEASURES" if not union else "EU.EDD.PEP" if "EU-2027" in policy.version else "EU.EDD.PEP_AMLD"
            )
            assert [rule.purpose for rule in policy.enhanced.required] == BESIDES


def test_what_became_known_unseen_is_asked_for_by_who_decides_or_by_the_sweep(rules_of_the_24th, world):
    """Learned while the case was closed, or called for by a new list: no row tells of it."""
    case = completed(world.verification("L1"), by=world.alice)
    learn(case.customer, "pep", source="risk", known_on=case.licensee.today(), by=system())
    seen = rules.evidence_digest(case).hex()
    with pytest.raises(WrongState):
        services.submit(case, "approve", by=world.alice, reason="all_checks_met", note="", seen=seen)
    assert purposes(fresh(case))[2:] == ["address", *BESIDES], "kept, though the decision was refused"
    other = completed(world.verification("L1"), by=world.alice)
    learn(other.customer, "pep", source="risk", known_on=case.licensee.today(), by=system())
    assert (following.enhance_all(), following.enhance_all()) == (1, 0)
    assert purposes(fresh(other))[2:] == ["address", *BESIDES]
    assert not [line for line in fresh(other).unmet("approve") if "level" in line], "nothing waits for what nobody asks"


def test_a_case_that_is_opened_again_asks_for_what_became_known_meanwhile(rules_of_the_24th, world, monkeypatch):
    monkeypatch.setattr(services, "require_second_person", lambda *args, **more: None)
    case = services.withdraw(completed(world.verification("L1"), by=world.alice), by=world.alice)
    learn(case.customer, "pep", source="risk", known_on=case.licensee.today(), by=system())
    case = services.reopen(fresh(case), by=world.bob, reason="objection", proposal="two")
    assert purposes(case)[2:] == ["address", *BESIDES] == purposes(fresh(case))[2:]
    assert fresh(case).level == "L2", "nothing simplified for an office"


@pytest.mark.parametrize("known_before", [True, False])
def test_a_withdrawal_asks_for_what_became_known_by_it_and_for_nothing_known_before(
    rules_of_the_24th, world, monkeypatch, known_before
):
    """GB.KYC.NO_WITHDRAWAL_TRAP, OP.NO_WITHDRAWAL_TRAP: nor does the missing item stand against the approval."""
    monkeypatch.setattr(type(world.licensee), "day_starts", lambda self, day: timezone.now() - timedelta(days=300))
    account = world.account()
    fact = learn(account.customer, "pep", source="risk", known_on=account.licensee.today(), by=system())
    if known_before:
        RiskFact.objects.filter(pk=fact.pk).update(recorded_at=timezone.now() - timedelta(days=200))
    now = timezone.now() - timedelta(minutes=5)
    case = services.open(
        account, level="L1", by=world.alice, because="withdrawal", crossed_at=now, knowable_at=timezone.now()
    )
    assert [one for one in purposes(case) if one in BESIDES] == ([] if known_before else BESIDES)
    assert not [line for line in fresh(case).unmet("approve") if "Enhanced" in line]
    assert not following.enhance_all()
    if not known_before:
        row = Requirement.objects.get(case=case, purpose="wealth")
        assert row.knowable_at == RiskFact.objects.get(pk=fact.pk).recorded_at
