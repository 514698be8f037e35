"""What the operator chose where no law says it, each rule by its id: its effect on a player, a file or an act.

Germany's law says nothing of verification here, so the operator's own rules hold there.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from cases import protection
from cases import services as engine
from cases.marks import services as marks
from cases.quality import services as quality
from cases.quality.models import SecondLook
from cases.types.verification import deadlines, endings, playing, rules, services
from cases.types.verification.risk import enhanced, following
from compliance.people.models import Customer, Licensee
from compliance.people.risk import learn
from compliance.people.services import create_user, join, open_account, reach_level
from compliance.policy import policy_at
from compliance.policy.book import book
from compliance.proposals import acts
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm
from compliance.rulebook import services as rulebook
from documents.keeping import holds as keeping
from documents.keeping import runs
from tests.gaming.kept_out import stopped
from tests.papers import bring
from tests.verification.conftest import asked, completed
from tests.verification.test_named_rules import fresh, submitted
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def germany(world):
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="DE", time_zone="Europe/Berlin")
    world.licensee.refresh_from_db()
    return world


# --------------------------------------------------------------------------------------------------------- evidence
IDENTITY = {"national_id", "passport", "driving_licence", "residence_permit"}
BILLS = {"utility_bill", "bank_statement", "government_letter"}
INCOME = {"payslip", "tax_return", "bank_statement", "pension_statement", "sale_contract"}
# rule: (first level that asks, purpose, what proves it, at most so many days old, good for so many days)
EVIDENCE = {
    "OP.KYC.IDENTITY_FRONT": ("L1", "identity_front", IDENTITY, None, None),
    "OP.KYC.IDENTITY_BACK": ("L1", "identity_back", IDENTITY - {"passport"}, None, None),
    "OP.KYC.ADDRESS": ("L2", "address", BILLS, 90, None),
    "OP.KYC.SELFIE": ("L3", "selfie", {"selfie_photo"}, None, None),
    "OP.KYC.FUNDS": ("L3", "funds", INCOME, 180, 365),
    "OP.KYC.PAYMENT_OWNERSHIP": (
        *("L3", "payment_ownership", {"masked_card_photo", "bank_statement", "ewallet_statement"}),
        *(90, None),
    ),
}


@pytest.mark.parametrize("rule", EVIDENCE)
def test_a_level_asks_for_it_takes_these_papers_and_no_older_ones(germany, rule):
    level, purpose, papers, oldest, good_for = EVIDENCE[rule]
    below = germany.verification({"L1": "L0", "L2": "L1", "L3": "L2"}[level])
    assert purpose not in {one.purpose for one in below.requirements.all()}
    case = germany.verification(level)
    assert case.requirements.get(purpose=purpose).rule_id == rule
    assert {document for wanted, document in rules.offers(case) if wanted == purpose} == papers
    with pytest.raises(ConditionsNotMet, match="does not ask for"):
        other = "payslip" if "payslip" not in papers else "passport"
        bring(case, purpose, other, by=germany.alice, inspected=False)
    paper = bring(case, purpose, sorted(papers)[0], by=germany.alice, inspected=False)
    services.review(case, by=germany.alice)
    today = case.licensee.day_of(paper.created_at)
    if oldest:
        with pytest.raises(ConditionsNotMet, match=f"older than {oldest} days"):
            engine.accept(paper, by=germany.alice, issued_on=today - timedelta(days=oldest + 1))
    accepted = engine.accept(paper, by=germany.alice, issued_on=today - timedelta(days=oldest or 4000))
    decided_on = case.licensee.day_of(accepted.decided_at)
    assert accepted.good_until == (decided_on + timedelta(days=good_for) if good_for else None)


def test_a_passport_has_no_back(germany):
    """OP.KYC.IDENTITY_BACK."""
    case = germany.verification("L1")
    paper = bring(case, "identity_front", "passport", by=germany.alice, inspected=False)
    case = services.review(case, by=germany.alice)
    assert rules.missing_evidence(case) == ["identity_front", "identity_back"]
    engine.accept(paper, by=germany.alice)
    assert rules.missing_evidence(case) == []


# ------------------------------------------------------------------------------------------------ times and levels
def test_somebody_looks_within_a_day_and_the_player_has_two_weeks(germany):
    """OP.REVIEW_HOURS: 24. OP.ANSWER_DAYS: 14, to the end of the last one."""
    case = germany.verification("L1")
    assert case.due_at - case.opened_at == timedelta(hours=24)
    case = asked(case, by=germany.alice)
    facts = services.VerificationFacts.objects.get(case=case)
    last, due = case.licensee.day_of(facts.asked_at) + timedelta(days=14), facts.answer_due_at
    assert due == case.licensee.day_starts(last + timedelta(days=1))


def test_level_two_comes_before_play(germany, settings):
    """OP.PLAY_NEEDS."""
    settings.VERIFIED_BEFORE_PLAY = True
    customer = germany.account().customer
    for level, closed in [("L1", {"play"}), ("L2", set())]:
        case = engine.locked(services.open(_account(germany, customer), level=level, by=germany.alice))
        reach_level(customer, level, by=germany.bob)
        playing.let(case, by=germany.bob)
        assert stopped(case.account) == closed
        services.withdraw(fresh(case), by=germany.alice)
        services.holds.lift(fresh(case), services.holds.NEEDED, by=germany.bob, reason="verified")


def _account(world, customer):
    customer = Customer.objects.select_related("licensee").get(pk=customer.pk)
    reference = f"P-{timezone.now().timestamp()}"
    return open_account(customer=customer, brand=world.brand, reference=reference, by=world.alice)


TRIGGERS = (
    *("pep", "close_to_pep", "possible_sanctions_match", "high_risk_country", "amount_above_tier"),
    *("funds_do_not_match", "vip", "adverse_media", "law_enforcement_request", "third_party_payment"),
    *("anonymous_payment", "dormant_reactivated"),
)


@pytest.mark.parametrize(("fact", "calls"), [*((one, True) for one in TRIGGERS), ("many_instruments", False)])
def test_these_facts_call_for_enhanced_measures_by_themselves(germany, fact, calls):
    """OP.EDD.TRIGGERS."""
    customer = germany.account().customer
    assert not enhanced.is_called_for(customer)
    learn(customer, fact, source="risk", known_on=germany.licensee.today(), by=germany.alice)
    assert enhanced.is_called_for(customer) is calls
    assert (fact in following.triggers(customer)) is calls


@pytest.mark.parametrize(("lot", "drawn"), [(4.99, 1), (5.0, 0)])
def test_five_closed_cases_in_a_hundred_are_looked_at_again(complete, world, monkeypatch, lot, drawn):
    """OP.SECOND_LOOK."""
    confirm(submitted(complete, "reject", "document_altered", by=world.alice), by=world.bob)
    monkeypatch.setattr(quality, "lot", lambda pk, at: lot)
    assert (quality.draw(), SecondLook.objects.filter(case=complete).count()) == (drawn, drawn)


# --------------------------------------------------------------------------------------------------- what stops then
EVERYTHING = {"sign_in", "deposit", "play", "withdraw", "marketing"}
STOPS = {
    "OP.STOPS_LAPSED": ("lapsed", {"deposit", "play"}),
    "OP.STOPS_WITHDRAWN": ("withdrawn", {"deposit", "play"}),
    "OP.STOPS_UNDERAGE": ("close_underage", EVERYTHING),
    "OP.STOPS_DECEASED": ("close_deceased", EVERYTHING),
    "OP.STOPS_IMPERSONATED": ("close_impersonated", EVERYTHING),
}


@pytest.mark.parametrize("rule", STOPS)
def test_what_stops_when_a_verification_ends(germany, rule):
    end, effects = STOPS[rule]
    case = germany.verification("L1")
    if end == "lapsed":
        case = asked(case, by=germany.alice)
        services.VerificationFacts.objects.filter(case=case).update(answer_due_at=timezone.now() - timedelta(days=1))
        assert deadlines.lapse_overdue() == 1
    elif end == "withdrawn":
        services.withdraw(case, by=germany.alice)
    else:
        confirm(submitted(case, end, endings.REASONS[end][0][0], by=germany.alice), by=germany.bob)
    assert stopped(case.account) == effects
    assert fresh(case).outcome == end.removeprefix("close_")


# ------------------------------------------------------------------------------------------------------- four eyes
@pytest.fixture
def grace(world):
    user = create_user(email="grace@example.com", name="Grace", password=PASSWORD, by=system())
    join(user, world.team, "privacy_officer", by=system())
    return user


@pytest.fixture
def acted_on(world, grace):
    """By act: what it is done to, by whom alone, and why."""

    def closed():
        return services.withdraw(world.verification("L1"), by=world.alice)

    def to_protect():
        return completed(world.verification("L1"), by=world.alice)

    def draft():
        tomorrow = world.licensee.today() + timedelta(days=1)
        return rulebook.draft(world.licensee, {"verification.answer_days": 7}, effective_from=tomorrow, by=world.bob)

    makers = {
        "verification.reopen": lambda: (closed(), world.bob, "our_error"),
        "verification.close_underage": lambda: (to_protect(), world.bob, "declared_age"),
        "verification.close_deceased": lambda: (to_protect(), world.bob, "told_by_family"),
        "verification.close_impersonated": lambda: (to_protect(), world.bob, "admitted"),
        "people.lift_restriction": lambda: (_stopped(world), world.bob, "mistaken"),
        "keys.shred": lambda: (world.account().customer, grace, "player_asked"),
        "keeping.lift_hold": lambda: (
            keeping.place_hold(world.account().customer, by=grace, reason="authority"),
            grace,
            "authority",
        ),
        "policy.change": lambda: (draft(), world.bob, "risk"),
        "marks.lift": lambda: (
            marks.mark(world.verification("L1"), kind="well_known", to=[world.erin], by=world.bob),
            world.bob,
            "mistaken",
        ),
    }
    return lambda act: makers[act]()


def _stopped(world):
    return protection.stop_play(world.verification("L1"), by=world.alice, reason="player_asked")


BY_TWO = {
    "OP.FOUR_EYES.VERIFICATION_REOPEN": "verification.reopen",
    "OP.FOUR_EYES.VERIFICATION_CLOSE_UNDERAGE": "verification.close_underage",
    "OP.FOUR_EYES.VERIFICATION_CLOSE_DECEASED": "verification.close_deceased",
    "OP.FOUR_EYES.VERIFICATION_CLOSE_IMPERSONATED": "verification.close_impersonated",
    "OP.FOUR_EYES.LIFT_RESTRICTION": "people.lift_restriction",
    "OP.FOUR_EYES.KEYS_SHRED": "keys.shred",
    "OP.FOUR_EYES.LIFT_HOLD": "keeping.lift_hold",
    "OP.FOUR_EYES.POLICY_CHANGE": "policy.change",
    "OP.FOUR_EYES.LIFT_MARK": "marks.lift",
}


@pytest.mark.parametrize("rule", BY_TWO)
def test_one_person_alone_does_it_nowhere_and_the_page_names_the_rule(acted_on, rule):
    act = acts.lookup(BY_TWO[rule])
    subject, by, reason = acted_on(act.name)
    before = type(subject).objects.get(pk=subject.pk)
    with pytest.raises(SecondPersonNeeded):
        act.run(subject, by=by, reason=reason)
    after = type(subject).objects.get(pk=subject.pk)
    assert {name: value for name, value in vars(after).items() if name != "_state"} == {
        name: value for name, value in vars(before).items() if name != "_state"
    }
    need = act.need(subject)
    assert (need.two, need.rule) == (True, rule)
    assert need.why


def test_what_was_accepted_in_a_finished_case_is_taken_back_by_nobody_alone(complete, world):
    """OP.FOUR_EYES.EVIDENCE_REVOKE: one officer while the case goes on; of a finished one two reopen it first."""
    front = complete.evidence.get(purpose="identity_front")
    engine.accept(engine.revoke(front, by=world.bob, reason="seen_later"), by=world.alice)
    confirm(submitted(complete, "reject", "document_altered", by=world.alice), by=world.bob)
    front.refresh_from_db()
    assert policy_at(complete.policy_version).need_two("evidence.revoke", case_state="closed").two
    with pytest.raises(ConditionsNotMet, match="This case is finished"):
        engine.revoke(front, by=world.bob, reason="seen_later")
    confirm(submitted(fresh(complete), "reopen", "our_error", by=world.bob), by=world.erin)
    assert engine.revoke(front, by=world.bob, reason="seen_later").state == "pending"


@pytest.mark.parametrize("who", ["alice", "bob", "grace"])
def test_no_one_person_destroys_a_file(case, world, grace, who):
    """OP.FOUR_EYES.DOCUMENTS_DESTROY: only the product does, after the act of two, or at once for card data."""
    document = bring(case, "identity_front", "national_id", by=world.alice, inspected=False).document
    with pytest.raises((Denied, WrongState)):
        perform(document.destroy, by={"grace": grace}.get(who) or getattr(world, who), reason="any")
    document.refresh_from_db()
    assert document.state == "ready"


@pytest.mark.parametrize("policy", book().versions.values(), ids=lambda policy: policy.version)
def test_the_page_lets_one_person_export_as_much_as_every_policy_does(settings, policy):
    """OP.FOUR_EYES.AUDIT_EXPORT: more than 10,000 entries take two."""
    assert settings.AUDIT_EXPORT_ALONE == 10_000
    one, two = (policy.need_two("audit.export", entries=settings.AUDIT_EXPORT_ALONE + more) for more in (0, 1))
    assert (one.two, two.two, two.rule) == (False, True, "OP.FOUR_EYES.AUDIT_EXPORT")


# -------------------------------------------------------------------------------------------- what protects is at once
def test_what_protects_waits_for_nobody(world):
    """OP.FOUR_EYES.RESTRICT, OP.FOUR_EYES.VERIFICATION_WITHDRAW: an agent alone, at once."""
    case = world.verification("L1")
    protection.stop_play(case, by=world.alice, reason="player_asked")
    assert {"play", "deposit"} <= stopped(case.account)
    assert services.withdraw(case, by=world.alice).outcome == "withdrawn"
    policy = policy_at(case.policy_version)
    named = {act: policy.need_two(act).rule for act in ("people.restrict", "verification.withdraw")}
    assert set(named.values()) == {"OP.FOUR_EYES.RESTRICT", "OP.FOUR_EYES.VERIFICATION_WITHDRAW"}
    assert not any(policy.need_two(act).two for act in named)


def test_the_retention_run_waits_for_nobody_unless_the_policy_says_so(world, monkeypatch):
    """OP.FOUR_EYES.RETENTION_RUN: it is asked for each licensee whose records are due."""
    slug = world.licensee.slug
    assert runs._asking_two({slug}) == {}
    policy = policy_at("TR-2026-11-23")
    alone = {act: rule for act, rule in policy.four_eyes.alone.items() if act != "retention.run"}
    asking = policy.model_copy(update={"four_eyes": policy.four_eyes.model_copy(update={"alone": alone})})
    monkeypatch.setattr(runs, "policy_of", lambda licensee, on: asking)
    assert set(runs._asking_two({slug})) == {slug}
