"""The machine of a verification: histories in which nothing goes astray. Who may do what: test_machine_table.py."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from audit.perform import ConditionsNotMet, Denied, WrongState
from cases import services as engine
from cases.types.verification import deadlines, funds, rules, services
from cases.types.verification.models import FundsDecision, Requirement, Ruling, Verification
from compliance.people.restrictions import in_force
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm
from tests.papers import bring

pytestmark = pytest.mark.django_db

STEPS = st.lists(
    st.sampled_from(
        ["front", "back", "review", "accept", "again", "refuse", "take_back", "ask", "ask_missing", "withdraw"]
        + ["lapse", "propose", "confirm", "close_deceased", "reopen"]
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_is_tried_the_case_stays_whole(world, steps):
    case = world.verification("L1")
    for step in steps:
        with suppress(WrongState, ConditionsNotMet, Denied):
            make(step, Verification.objects.get(pk=case.pk), world)
        hold_together(Verification.objects.get(pk=case.pk))


def make(step, case, world):
    newest = case.evidence.order_by("created_at")
    pending, judged = newest.filter(state="pending").first(), newest.filter(state__in=["returned", "rejected"]).first()
    if step in ("front", "back"):
        bring(case, f"identity_{step}", "national_id", by=world.alice, inspected=False)
    elif step in ("accept", "again", "refuse"):
        if pending is None:
            return
        verdict = {"accept": engine.accept, "again": engine.ask_again, "refuse": engine.reject}[step]
        reasons = {"again": ["image_glare"], "refuse": ["document_altered"]}
        verdict(pending, by=world.alice, **({"reasons": reasons[step]} if step in reasons else {}))
    elif step == "take_back":
        if judged is not None:
            engine.reconsider(judged, by=world.alice)
    elif step == "review":
        services.review(case, by=world.alice)
    elif step == "ask":
        services.ask(case, by=world.alice)
    elif step == "ask_missing":
        services.ask(case, by=world.alice, missing=["identity_back"])
    elif step == "withdraw":
        services.withdraw(case, by=world.alice, reason="account_closed")
    elif step == "lapse":
        deadlines.lapse(case)
    else:
        decide(step, case, world)


def decide(step, case, world):
    if step == "confirm":
        proposal = Proposal.objects.parked().filter(subject_id=case.pk).first()
        if proposal:
            confirm(proposal, by=world.erin)
        return
    act = {"propose": "approve"}.get(step, step)
    reason = {"approve": "all_checks_met", "close_deceased": "death_certificate", "reopen": "our_error"}[act]
    seen = rules.evidence_digest(case).hex()
    services.submit(case, act, by=world.alice if step != "reopen" else world.bob, reason=reason, note="", seen=seen)


def hold_together(case):
    """What is true of every case at every moment."""
    facts = type(case.verification_facts).objects.get(case=case)
    assert (case.state == "closed") == bool(case.outcome) == (case.closed_at is not None)
    assert (case.state == "waiting") == (case.waiting_for == "player")
    assert case.state != "waiting" or facts.answer_due_at is not None
    for row in Requirement.objects.filter(case=case):
        assert row.knowable_at <= row.crossed_at and (row.asked_at is None) == (row.due_at is None)
        assert (row.met_at is not None) == case.evidence.filter(purpose=row.purpose, state="accepted").exists()
    current = case.evidence.exclude(state="superseded")
    for evidence in current:
        last = Ruling.objects.filter(evidence=evidence).order_by("recorded_at", "id").last()
        assert evidence.state == (last.said if last else "pending")
    if case.outcome in ("lapsed", "withdrawn", "deceased"):
        assert in_force(case.customer).filter(stops_play=True).exists()
    if case.outcome == "withdrawn":
        assert funds.is_open(case) and FundsDecision.objects.filter(case=case).count() == 1
    assert not Proposal.objects.parked().filter(subject_id=case.pk, act="verification.approve").exists() or (
        case.state == "in_review" and rules.evidence_is_complete(case)
    )
