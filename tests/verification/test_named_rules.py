"""Rules of the policy, each by its id, as the product obeys them: time to object, what is never simplified, offices."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.contacts.models import Contact
from cases.models import Case, Message
from cases.types.verification import objecting, rules, services, simplified
from cases.types.verification.models import Verification
from cases.types.verification.risk import calling, offices, rating
from cases.types.verification.risk import services as risk
from compliance import formats
from compliance.people.exclusions.services import start
from compliance.people.models import Customer, Licensee
from compliance.people.risk import learn
from compliance.policy import PolicyNotVerified, policy_at, policy_for
from compliance.policy.records import Period
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm
from tests.gaming.kept_out import stopped
from tests.verification.conftest import completed
from tests.verification.test_risk import approved, deliver

pytestmark = pytest.mark.django_db


def fresh(case):
    return Verification.objects.select_related("licensee", "account", "customer").get(pk=case.pk)


def submitted(case, act, reason, *, by):
    return services.submit(case, act, by=by, reason=reason, note="", seen=rules.evidence_digest(case).hex())


# ------------------------------------------------------------------------------------------------------- objections
@pytest.fixture
def refused(complete, world):
    confirm(submitted(complete, "reject", "document_altered", by=world.alice), by=world.bob)
    return fresh(complete)


def closed_ago(case, days):
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=days))
    return fresh(case)


def test_the_letter_of_a_refusal_names_the_last_day_to_object(refused):
    """OP.OBJECTION_DAYS: 30 days, to the end of the last one."""
    last = refused.licensee.day_of(refused.closed_at) + timedelta(days=30)
    said = engine.message_text(Message.objects.get(case=refused, code="rejected"))
    assert f"son tarih: {formats.day(last, language='tr')}." in said


@pytest.mark.parametrize(("ago", "reason", "may"), [(30, "objection", True), (31, "our_error", True)])
def test_an_objection_in_time_and_another_reason_at_any_time_open_the_case_again(refused, world, ago, reason, may):
    """OP.OBJECTION_DAYS."""
    proposal = submitted(closed_ago(refused, ago), "reopen", reason, by=world.bob)
    assert confirm(proposal, by=world.erin) and fresh(refused).state == "in_review"


def test_an_objection_that_comes_after_the_last_day_opens_nothing_unless_the_player_had_called_in_time(refused, world):
    """OP.OBJECTION_DAYS."""
    case = closed_ago(refused, 31)
    with pytest.raises(ConditionsNotMet, match="reason: the player could object until"):
        submitted(case, "reopen", "objection", by=world.bob)
    assert not Proposal.objects.parked().exists()
    facts = {"channel": "phone", "category": "complaint", "outcome": "passed_on", "language": "tr"}
    facts |= {"summary_sealed": b"", "word_list": case.licensee.today(), "logged_by": world.alice}
    for at, direction, may in [
        (case.closed_at + timedelta(days=2), "out", False),
        (timezone.now(), "in", False),
        (case.closed_at + timedelta(days=2), "in", True),
    ]:
        Contact.objects.create(case=case, direction=direction, contacted_at=at, **facts)
        if not may:
            with pytest.raises(ConditionsNotMet):
                submitted(case, "reopen", "objection", by=world.bob)
    assert submitted(case, "reopen", "objection", by=world.bob).state == "parked"


def test_a_player_who_was_told_of_no_day_objects_at_any_time(refused, world, monkeypatch):
    """OP.OBJECTION_DAYS: refused with the words of before, or ended otherwise."""
    case = closed_ago(refused, 40)
    monkeypatch.setattr(objecting, "SINCE", 3)
    assert objecting.too_late(case, "reopen", "objection") == []
    monkeypatch.undo()
    assert objecting.too_late(case, "reopen", "objection")
    lapsed = closed_ago(services.withdraw(world.verification("L1"), by=world.alice), 40)
    assert objecting.too_late(lapsed, "reopen", "objection") == []


def test_an_objection_that_came_in_another_case_counts(refused, world):
    """OP.OBJECTION_DAYS."""
    case = closed_ago(refused, 31)
    other = services.open(case.account, level="L1", by=world.alice)
    facts = {"channel": "phone", "category": "complaint", "outcome": "passed_on", "language": "tr"}
    facts |= {"summary_sealed": b"", "word_list": case.licensee.today(), "logged_by": world.alice}
    at = case.closed_at + timedelta(days=2)
    Contact.objects.create(case=other, direction="in", contacted_at=at, **facts)
    assert objecting.too_late(case, "reopen", "objection") == []


# --------------------------------------------------------------------------------- a time with a stated consequence
def test_nobody_is_given_a_time_of_which_no_rule_says_what_follows(case, world, monkeypatch):
    """OP.WHEN_UNANSWERED."""
    policy = policy_at(case.policy_version)
    silent = policy.model_copy(
        update={"verification": policy.verification.model_copy(update={"when_unanswered": None})}
    )
    case = services.review(case, by=world.alice)
    monkeypatch.setattr(rules, "policy_at", lambda version: silent)
    with pytest.raises(PolicyNotVerified, match="verification.when_unanswered"):
        services.ask(case, by=world.alice, missing=["identity_front"])
    monkeypatch.undo()
    assert services.ask(case, by=world.alice, missing=["identity_front"]).state == "waiting"


# ------------------------------------------------------------------------------------------------- never simplified
@pytest.mark.parametrize("fact", ["pep", "close_to_pep", "third_party_payment"])
def test_a_player_of_whom_it_is_known_is_verified_to_no_less_than_play_needs(world, fact):
    """TR.NO_SDD_FOREIGN_PEP: politically exposed persons, risky transactions."""
    account = world.account()
    learn(account.customer, fact, source="risk", known_on=world.licensee.today(), by=world.alice)
    assert services.open(account, level="L1", by=world.alice).level == "L2"


def test_who_held_an_office_counts_where_the_measures_go_on(world, monkeypatch):
    """TR.NO_SDD_FOREIGN_PEP with EU.EDD.PEP_EXIT."""
    customer, today = world.account().customer, world.licensee.today()
    policy = policy_for("TR", on=today)
    known = {"source": "risk", "known_on": today - timedelta(days=30), "until": today - timedelta(days=1)}
    learn(customer, "pep", by=world.alice, **known)
    assert not simplified.is_forbidden(policy, customer, on=today)
    monkeypatch.setattr(offices, "policy_of", lambda *_, **__: policy_at("EU-2027-07-10"))
    assert simplified.is_forbidden(policy, customer, on=today)


def test_one_that_runs_asks_for_more_and_is_not_approved_before_it_does(complete, world):
    """TR.NO_SDD_FOREIGN_PEP."""
    assert complete.unmet("approve") == []
    learn(complete.customer, "unusually_large", source="risk", known_on=world.licensee.today(), by=world.alice)
    assert fresh(complete).unmet("approve") == ["This player needs level L2."]
    deliver(complete)
    case = fresh(complete)
    assert (case.level, rules.missing_evidence(case)) == ("L2", ["address"])
    assert not case.clocks.filter(kind="statutory").exists(), "no amount was reached"


@pytest.mark.parametrize(
    ("fact", "log", "jurisdiction"), [("vip", "main", "TR"), ("pep", "aml", "TR"), ("pep", "main", "GB")]
)
def test_other_facts_those_of_the_aml_side_and_other_laws_raise_nothing(world, fact, log, jurisdiction):
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction=jurisdiction)
    account = world.account()
    learn(account.customer, fact, source="risk", known_on=world.licensee.today(), by=world.alice, log=log)
    assert services.open(account, level="L1", by=world.alice).level == "L1"


# --------------------------------------------------------------------------- politically exposed persons and reviews
def noon(text):
    return datetime.fromisoformat(text).replace(hour=12, tzinfo=ZoneInfo("Europe/Malta"))


@pytest.mark.parametrize("fact", ["pep", "close_to_pep"])
@pytest.mark.parametrize(
    ("jurisdiction", "on", "goes_on"),
    [
        ("MT", "2027-08-01", True),
        ("MT", "2027-08-02", True),
        ("MT", "2028-08-01", True),
        ("MT", "2028-08-02", False),
        ("TR", "2027-08-02", False),
    ],
)
def test_enhanced_measures_go_on_after_the_office(world, fact, jurisdiction, on, goes_on):
    """EU.EDD.PEP_EXIT: twelve months; EU.EDD.RCA: the same for family and associates. The office ends 2027-08-01."""
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction=jurisdiction, time_zone="Europe/Malta")
    customer = world.account().customer
    first, last = noon("2027-07-20").date(), noon("2027-08-01").date()
    learn(customer, fact, source="risk", known_on=first, until=last, by=world.alice)
    with time_machine.travel(noon(on), tick=False):
        customer = Customer.objects.get(pk=customer.pk)
        assert (risk.assess(customer, by=world.alice, because="new_fact").level == "high") is goes_on
        assert (fact in rating.codes_of(customer, on=customer.licensee.today())) is goes_on


@pytest.mark.parametrize("fact", ["pep", "close_to_pep"])
def test_they_go_on_before_the_regulation_applies_too(world, fact):
    """EU.EDD.PEP_EXIT_AMLD, EU.EDD.RCA_AMLD: an office that ends in December 2026."""
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    customer, last = world.account().customer, noon("2026-12-31").date()
    learn(customer, fact, source="risk", known_on=noon("2026-12-01").date(), until=last, by=world.alice)
    customer = Customer.objects.get(pk=customer.pk)
    for on, goes_on in (("2027-07-01", True), ("2028-01-02", False)):
        assert (fact in rating.codes_of(customer, on=noon(on).date())) is goes_on


def test_what_holds_for_a_politically_exposed_person_holds_for_family_where_the_law_says_so(world, monkeypatch):
    """EU.EDD.RCA: also where the operator names only the person."""
    customer = world.account().customer
    policy = policy_at("EU-2027-07-10")

    def alone(path, rule):
        return rule.model_copy(update={"value": ("pep",)}) if path == "enhanced.further_triggers" else rule

    for version, expected in [(policy, {"pep", "close_to_pep"}), (policy_at("EU-2026-01-01"), {"pep"})]:
        named = version.replaced(alone)
        monkeypatch.setattr(calling, "policy_of", lambda *_, found=named, **__: found)
        assert calling.triggers(customer) == expected


@pytest.mark.parametrize(("on", "opened"), [("2027-07-09", False), ("2027-07-12", True)])
def test_a_new_fact_that_raises_nothing_is_looked_at_where_the_law_says_at_once(case, world, on, opened):
    """EU.REVIEW.EVENT."""
    approved(case, world)
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    with time_machine.travel(noon(on), tick=False):
        learn(case.customer, "many_instruments", source="risk", known_on=noon(on).date(), by=world.alice)
        deliver(case)
    assert Customer.objects.get(pk=case.customer_id).risk == "low"
    assert Verification.objects.open().filter(customer=case.customer_id).exists() is opened


# ------------------------------------------------------------------------------------------------------- exclusions
@pytest.mark.parametrize("withdrawals", [True, False])
def test_an_exclusion_stops_no_withdrawal_where_what_is_there_can_be_withdrawn(world, withdrawals):
    """OP.EXC.WITHDRAWALS, IT.EXC.WITHDRAWALS, MT.EXC.WITHDRAWALS: whatever the list of what stops says."""
    values = {"exclusions.stops": ("deposit", "play", "withdraw"), "exclusions.withdrawals": withdrawals}

    def stricter(path, rule):
        return rule.model_copy(update={"value": values[path]}) if path in values else rule

    policy, account = policy_for("IT", on=world.licensee.today()).replaced(stricter), world.account()
    assert dict(policy.rules())["exclusions.withdrawals"].id == "IT.EXC.WITHDRAWALS"
    facts = {"kind": "self_exclusion", "period": Period(amount=60, unit="calendar_day"), "asked_by": "self"}
    start(account.customer, policy=policy, by=world.alice, **facts)
    assert ("withdraw" in stopped(account)) is not withdrawals


def test_an_approval_at_level_one_needs_nothing_more_where_no_such_fact_is_known(case, world):
    assert completed(case, by=world.alice).unmet("approve") == []
