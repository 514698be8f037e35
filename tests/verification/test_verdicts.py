"""Verdicts drive the case: what is accepted, asked again or refused for good says what comes next."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.models import Message
from cases.types.verification import history, requirements, rules, services
from cases.types.verification.models import Requirement, Ruling
from compliance.proposals.models import Proposal
from documents.services import Refused
from tests.papers import a_file, bring
from tests.verification.conftest import completed

pytestmark = pytest.mark.django_db


def fresh(case):
    return type(case).objects.get(pk=case.pk)


def judged(case, world, front, back="accept"):
    """Both sides brought, and a verdict on each."""
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice, inspected=False)
    case = services.review(case, by=world.alice)
    reasons = {"ask_again": ["image_glare"], "reject": ["document_altered"]}
    for purpose, verdict in (("identity_back", back), ("identity_front", front)):
        evidence = case.evidence.get(purpose=purpose)
        given = {"reasons": reasons[verdict]} if verdict in reasons else {}
        getattr(engine, verdict)(evidence, by=world.alice, **given)
    return fresh(case)


def test_all_accepted_is_ready_to_approve(case, world, client):
    case = judged(case, world, "accept")
    assert rules.standing(case) == "approve"
    client.force_login(world.alice)
    assert "ready to approve" in client.get(reverse("cases:case", args=[case.number])).content.decode()


def test_one_asked_again_asks_for_that_one_and_the_case_waits(case, world, client):
    case = judged(case, world, "ask_again")
    assert rules.standing(case) == "ask"
    services.ask(case, by=world.alice)
    assert fresh(case).state == "waiting"
    asked = Requirement.objects.filter(case=case, asked_at__isnull=False)
    assert [row.purpose for row in asked] == ["identity_front"]
    bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    assert (fresh(case).state, rules.standing(fresh(case))) == ("in_review", "judge")


def test_one_refused_for_good_parks_the_refusal_by_whoever_judged(case, world):
    case = judged(case, world, "reject")
    proposal = Proposal.objects.parked().get(subject_id=case.pk)
    assert (proposal.act, proposal.reason, proposal.maker) == ("verification.reject", "document_altered", world.alice)
    with pytest.raises(ConditionsNotMet):
        services.approve(case, by=world.bob, proposal=str(proposal.pk))
    engine.reconsider(case.evidence.get(purpose="identity_front"), by=world.alice)
    assert not Proposal.objects.parked().filter(subject_id=case.pk).exists()
    assert rules.standing(case) == "judge"


def test_the_refusal_waits_for_the_last_verdict(case, world):
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice, inspected=False)
    services.review(case, by=world.alice)
    engine.reject(case.evidence.get(purpose="identity_front"), by=world.alice, reasons=["document_altered"])
    assert not Proposal.objects.exists()


def test_the_last_verdict_leads_to_what_it_asks_for(case, world, client):
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case = services.review(case, by=world.alice)
    evidence = case.evidence.get()
    client.force_login(world.alice)
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk})
    answer = client.post(page, {"verdict": "ask_again", "reasons": ["image_glare"], "version": evidence.version})
    assert answer["Location"] == reverse("cases:verification-ask", args=[case.number])


# ------------------------------------------------------------------------------------------- what nobody brought
def test_what_no_file_came_for_is_asked_for_and_awaited(case, world, client):
    bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    case = services.review(case, by=world.alice)
    engine.accept(case.evidence.get(), by=world.alice)
    client.force_login(world.alice)
    page = client.get(reverse("cases:verification-ask", args=[case.number])).content.decode()
    assert "Kimliğin arka yüzü: kimlik kartı" in page
    with pytest.raises(ConditionsNotMet, match="identity_front"):
        services.ask(case, by=world.alice, missing=["identity_front"])
    client.post(
        reverse("cases:verification-ask", args=[case.number]), {"missing": ["identity_back"], "version": case.version}
    )
    assert fresh(case).state == "waiting" and requirements.awaited(fresh(case)) == ["identity_back"]
    assert "kimlik kartı" in engine.message_text(Message.objects.get(case=case, code="request"))
    bring(case, "identity_back", "national_id", by=world.alice, inspected=False)
    assert fresh(case).state == "in_review"


def test_a_page_without_a_tick_asks_only_for_what_was_judged(case, world, client):
    bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    case = services.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    client.force_login(world.alice)
    page = reverse("cases:verification-ask", args=[case.number])
    assert "kimlik kartı, ehliyet" not in client.get(page).content.decode()
    assert "kimlik kartı, ehliyet" in client.get(page, {"chosen": "1", "missing": "identity_back"}).content.decode()


# ------------------------------------------------------------------------------------------- a line of staff's own
LINE = "Fotoğrafı gün ışığında çekin."


@pytest.fixture
def to_ask(case, world, client):
    """A case whose one file is asked for again, and the page that sends it."""
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case = services.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    client.force_login(world.alice)
    return case, reverse("cases:verification-ask", args=[case.number])


def typed(client, page, **fields):
    shown = client.get(page).context
    return {"version": shown["case"].version, "shown": shown["shown"], "chosen": "1", **fields}


def test_a_line_is_sent_once_it_was_read_in_its_place(to_ask, client):
    case, page = to_ask
    first = client.post(page, typed(client, page, line=LINE))
    assert first.status_code == 200 and str(first.context["letter"]).endswith(f"\n\n{LINE}")
    assert fresh(case).state == "in_review" and not Message.objects.filter(case=case, code="request").exists()
    again = typed(client, page, line=LINE) | {"shown": first.context["shown"]}
    client.post(page, again)
    assert fresh(case).state == "waiting"
    assert engine.message_text(Message.objects.get(case=case, code="request")) == str(first.context["letter"])


def test_a_request_without_a_line_goes_at_once_and_only_when_it_is_sent(to_ask, client):
    case, page = to_ask
    client.post(page, typed(client, page, show="1"))
    assert fresh(case).state == "in_review"
    client.post(page, typed(client, page))
    assert fresh(case).state == "waiting"


@pytest.mark.parametrize(("line", "said"), [("x" * 201, "to 200 characters"), ("MASAK soruyor", "MASAK")])
def test_a_line_that_is_too_long_or_must_not_be_said_is_refused_and_kept(to_ask, client, line, said):
    case, page = to_ask
    answer = client.post(page, typed(client, page, line=line))
    text = answer.content.decode()
    assert answer.status_code == 422 and said in text and f'value="{line}"' in text
    assert line not in str(answer.context["letter"])
    assert fresh(case).state == "in_review"
    with pytest.raises(ConditionsNotMet, match=said):
        services.ask(case, by=case.assignee, line=line)


# ------------------------------------------------------------------------------------------------- the four days
def test_every_requirement_has_its_days(case, world):
    rows = Requirement.objects.filter(case=case)
    assert {row.rule_id for row in rows} == {rule.id for rule in rules.asked(case)}
    assert all(row.knowable_at == case.account.created_at and row.asked_at is None for row in rows)
    case = judged(case, world, "ask_again")
    services.ask(case, by=world.alice)
    assert rows.count() == len(rules.asked(case))
    front, back = rows.get(purpose="identity_front"), rows.get(purpose="identity_back")
    assert front.asked_at and front.due_at > front.asked_at and front.met_at is None
    assert back.met_at and back.asked_at is None
    engine.revoke(case.evidence.get(purpose="identity_back"), by=world.bob, reason="seen_later")
    assert rows.get(purpose="identity_back").met_at is None


def test_a_case_from_before_requirements_waits_for_what_it_asks(case, world):
    bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    Requirement.objects.filter(case=case).delete()
    requirements.ask(case, ["identity_back"], at=timezone.now(), due=timezone.now() + timedelta(days=9))
    assert requirements.awaited(case) == ["identity_back"]


def test_a_withdrawal_asks_for_nothing_that_could_have_been_asked_before(world):
    """GB.KYC.NO_WITHDRAWAL_TRAP; where no law says it, OP.NO_WITHDRAWAL_TRAP is ours."""
    account = world.account()
    with pytest.raises(requirements.WithdrawalTrap, match="NO_WITHDRAWAL_TRAP"):
        services.open(account, level="L1", by=world.alice, because="withdrawal")
    now = timezone.now()
    reached = services.open(account, level="L1", by=world.alice, because="threshold", crossed_at=now)
    row = Requirement.objects.filter(case=reached).first()
    assert row.crossed_at == row.knowable_at == now
    assert not Message.objects.filter(case=reached).exists()


@pytest.mark.parametrize("wrong", [{"because": "mood"}, {"crossed_at": "tomorrow"}])
def test_a_wrong_cause_or_day_is_named(world, wrong):
    if "crossed_at" in wrong:
        wrong = {"because": "threshold", "crossed_at": timezone.now() + timedelta(days=1)}
    with pytest.raises(ConditionsNotMet, match="because|crossed_at"):
        services.open(world.account(), level="L1", by=world.alice, **wrong)


# ---------------------------------------------------------------------------------------------------- the history
def test_the_history_of_a_file_only_grows_and_a_late_result_changes_nothing(case, world):
    case = completed(case, by=world.alice)
    evidence = case.evidence.get(purpose="identity_front")
    engine.revoke(evidence, by=world.bob, reason="seen_later")
    assert [row["said"] for row in history.of(evidence)] == ["accepted", "pending"]
    now = timezone.now()
    said = {"source": "idv", "codes": [], "by": system()}
    newer = history.note_result(evidence, said="clear", said_at=now, **said)
    older = history.note_result(evidence, said="reject", said_at=now - timedelta(minutes=1), **said)
    again = history.note_result(evidence, said="clear", said_at=now, **said)
    assert (newer.applied, older.applied, again.applied) == (True, False, False)
    other = history.note_result(
        evidence, said="match", said_at=now - timedelta(days=1), **said | {"source": "register"}
    )
    assert other.applied
    for change in (Ruling.objects.filter(pk=newer.pk).delete, lambda: Ruling.objects.update(said="x")):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            change()


def test_the_same_file_again_is_refused_plainly(case, world):
    data = a_file()
    bring(case, "identity_front", "national_id", by=world.alice, data=data, inspected=False)
    services.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    with pytest.raises(Refused) as refused:
        bring(case, "identity_front", "national_id", by=world.alice, data=data, inspected=False)
    assert refused.value.code == "same_file" and len(str(refused.value)) > 10
