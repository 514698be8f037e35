"""The money of an account that was closed: two persons decide, on the balance as it was seen."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases.clocks import services as clocks
from cases.models import Case
from cases.types.verification import deadlines, endings, funds, services
from cases.types.verification.models import FundsDecision
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import SamePerson, confirm

MOVES = {outcome: move for move, outcome in endings.PROTECTIVE.items()}


def closed(case, world, outcome):
    if outcome == "withdrawn":
        return services.withdraw(case, by=world.alice, reason="account_closed")
    if outcome == "lapsed":  # when the law's time passed, under a policy that says what follows
        Case.objects.filter(pk=case.pk).update(policy_version="MT-2026-11-24+EU-2026-11-24")
        began = timezone.now() - timedelta(days=31)
        clocks.start_statutory(case, rule="MT.CDD.30D", target=timedelta(days=30), by=system(), at=began)
        return deadlines.overrun(type(case).objects.get(pk=case.pk))
    reason = endings.REASONS[MOVES[outcome]][0][0]
    services.submit(
        case, MOVES[outcome], by=world.alice, reason=reason, note="", seen=services.rules.evidence_digest(case).hex()
    )
    confirm(Proposal.objects.parked().get(subject_id=case.pk), by=world.bob)
    return type(case).objects.get(pk=case.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", endings.FUNDS)
def test_closing_an_account_leaves_its_balance_to_two_persons(case, world, client, outcome):
    case = closed(case, world, outcome)
    assert funds.is_open(case)
    decision = endings.FUNDS[outcome][0]
    client.force_login(world.alice)
    page = reverse("cases:verification-funds", args=[case.number])
    assert page in client.get(reverse("cases:case", args=[case.number])).content.decode()
    typed = {"decision": decision, "reason": "rule", "amount": "1250.50", "currency": "try", "note": ""}
    assert client.post(page, typed | {"amount": "1.250,50"}).status_code == 422
    assert client.post(page, typed | {"amount": "0"}).status_code == 422
    assert client.post(page, typed).status_code == 302
    proposal = Proposal.objects.parked().get(act=funds.ACT)
    with pytest.raises(SamePerson):
        confirm(proposal, by=world.alice)
    confirm(proposal, by=world.erin)
    row = FundsDecision.objects.get(case=case)
    assert (row.decision, row.amount, row.currency, row.decided_by) == (decision, 125050, "TRY", world.erin)
    assert Entry.objects.filter(matter=case.number, action=funds.ACT).count() == 1
    assert not funds.is_open(case) and funds.unmet(case)


@pytest.mark.django_db
def test_nobody_decides_alone_nor_what_does_not_fit_the_ending(case, world):
    case = closed(case, world, "underage")
    given = {"reason": "rule", "amount": 100, "currency": "TRY", "as_of": timezone.now().isoformat()}
    with pytest.raises(SecondPersonNeeded):
        funds.settle(case, by=world.bob, decision="return_deposits", **given)
    late = (timezone.now() + timedelta(hours=1)).isoformat()
    for wrong in ({"decision": "pay_out"}, {"decision": "nothing_left"}, {"decision": "hold", "as_of": late}):
        assert funds.unmet(case, **given | wrong)
    assert not funds.unmet(case, **given | {"decision": "nothing_left", "amount": 0})


@pytest.mark.django_db
def test_a_case_that_is_opened_again_waits_for_no_decision_on_its_balance(case, world):
    case = closed(case, world, "withdrawn")
    given = {
        "reason": "rule",
        "decision": "hold",
        "amount": 100,
        "currency": "TRY",
        "as_of": timezone.now().isoformat(),
    }
    waiting = services.propose(funds.ACT, case, by=world.alice, **given)
    seen = services.rules.evidence_digest(case).hex()
    confirm(services.submit(case, "reopen", by=world.bob, reason="our_error", note="", seen=seen), by=world.erin)
    assert funds.of(case) is None
    assert Entry.objects.filter(matter=case.number, action="verification.close_funds").count() == 1
    waiting.refresh_from_db()
    assert waiting.state == "voided"


@pytest.mark.django_db
def test_where_nothing_was_closed_nothing_is_decided(case, world):
    assert not funds.is_open(case)
    with pytest.raises(ConditionsNotMet):
        services.propose(
            funds.ACT,
            case,
            by=world.alice,
            reason="rule",
            decision="hold",
            amount=1,
            currency="TRY",
            as_of=timezone.now().isoformat(),
        )
    services.withdraw(case, by=world.alice, reason="player_asked")
    assert funds.of(case) is None


@given(st.integers(min_value=0, max_value=10**11), st.sampled_from(["TRY", "EUR", "JPY", "KWD"]))
def test_amounts_are_whole_minor_units(amount, currency):
    places = {"JPY": 0, "KWD": 3}.get(currency, 2)
    whole, rest = divmod(amount, 10**places)
    assert funds.minor_units(f"{whole}.{rest:0{places}d}" if places else str(whole), currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("-1", "TRY"), ("1e3", "TRY"), ("1.005", "EUR"), ("1.5", "JPY"), ("٣", "TRY"), ("1", "try")],
)
def test_what_is_no_amount_is_refused_with_its_field(amount, currency):
    with pytest.raises(ValidationError):
        funds.minor_units(amount, currency)
