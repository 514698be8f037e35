"""A verification from opening to decision, through its acts."""

import json

import pytest

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from cases import services as engine
from cases.models import Message
from cases.types.verification import rules, services
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import AlreadyDecided, EvidenceChanged, SamePerson, confirm, propose
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def complete(case, world):
    """In review, everything accepted."""
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    for evidence in case.evidence.all():
        engine.accept(evidence, by=world.alice)
    return case


def actions_of(case):
    return list(Entry.objects.filter(matter=case.number).order_by("id").values_list("action", flat=True))


def test_opening_pins_the_policy_and_tells_the_player_the_number(case):
    assert case.policy_version.startswith("TR-")
    message = Message.objects.get(case=case)
    assert case.number in engine.message_text(message)
    assert b"KYC" not in bytes(message.text_sealed)
    assert {"verification.open", "cases.write_message"} <= set(actions_of(case))


def test_a_player_has_one_open_verification(case, world):
    with pytest.raises(ConditionsNotMet):
        services.open(case.account, level="L1", by=world.alice)


def test_an_unknown_level_is_named_with_the_known_ones(world):
    with pytest.raises(ConditionsNotMet, match="L9.*L1"):
        services.open(world.account(), level="L9", by=world.alice)


def test_what_is_missing_follows_the_policy(case):
    assert rules.missing_evidence(case) == ["identity_front", "identity_back"]


def test_a_passport_needs_no_back(case, world):
    bring(case, "identity_front", "passport", by=world.alice)
    engine.accept(case.evidence.get(), by=world.alice)
    assert rules.missing_evidence(case) == []


def test_a_file_that_the_policy_does_not_name_is_not_taken(case, world):
    with pytest.raises(ConditionsNotMet, match="purpose"):
        bring(case, "identity_front", "payslip", by=world.alice)
    assert not case.evidence.exists()


def test_asking_again_names_every_fault_once_and_what_is_fine(case, world):
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    engine.accept(case.evidence.get(purpose="identity_front"), by=world.alice)
    engine.ask_again(
        case.evidence.get(purpose="identity_back"), by=world.alice, reasons=["image_blurry", "image_cropped"]
    )
    case = services.ask(case, by=world.alice)
    text = engine.message_text(Message.objects.get(case=case, code="request"))
    assert text.count("Kimliğin arka yüzü") == 1
    assert "Kabul edildi: Kimliğin ön yüzü" in text
    assert (case.state, case.waiting_for) == ("waiting", "player")


def test_the_entry_of_the_request_names_the_verdicts_that_the_player_learned_of(case, world):
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    engine.accept(case.evidence.get(purpose="identity_front"), by=world.alice)
    back = engine.ask_again(case.evidence.get(purpose="identity_back"), by=world.alice, reasons=["image_blurry"])
    services.ask(case, by=world.alice)
    assert list(case.evidence.filter(told=True)) == [back]
    entry = Entry.objects.filter(matter=case.number, action="cases.write_message").order_by("id").last()
    assert json.loads(bytes(entry.entry))["data"]["told"] == [str(back.pk)]


def test_the_replacement_supersedes_and_the_review_goes_on(case, world):
    bring(case, "identity_front", "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    case = services.ask(case, by=world.alice)
    bring(case, "identity_front", "national_id", by=world.alice)
    assert sorted(case.evidence.values_list("state", flat=True)) == ["pending", "superseded"]
    assert type(case).objects.get(pk=case.pk).state == "in_review"


def test_a_reason_of_the_other_class_is_refused(case, world):
    bring(case, "identity_front", "national_id", by=world.alice)
    with pytest.raises(ConditionsNotMet):
        engine.ask_again(case.evidence.get(), by=world.alice, reasons=["document_altered"])
    with pytest.raises(ConditionsNotMet):
        engine.reject(case.evidence.get(), by=world.alice, reasons=["image_blurry"])


def test_a_told_verdict_cannot_be_taken_back(case, world):
    bring(case, "identity_front", "national_id", by=world.alice)
    case = services.review(case, by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    engine.reconsider(case.evidence.get(), by=world.alice)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    services.ask(case, by=world.alice)
    with pytest.raises(ConditionsNotMet):
        engine.reconsider(case.evidence.get(), by=world.alice)


def test_an_incomplete_case_cannot_be_proposed(case, world):
    case = services.review(case, by=world.alice)
    with pytest.raises(ConditionsNotMet, match="Identity document, front"):
        propose("verification.approve", case, by=world.alice, reason="all_checks_met")


def test_nobody_approves_alone(complete, world):
    for user in (world.alice, world.bob):
        with pytest.raises(SecondPersonNeeded):
            services.approve(complete, by=user)


def test_an_agent_may_not_decide_even_as_second_person(complete, world):
    proposal = propose("verification.approve", complete, by=world.bob, reason="all_checks_met")
    with pytest.raises(Denied):
        confirm(proposal, by=world.alice)


def test_a_parked_decision_changes_nothing_outward(complete, world):
    messages = Message.objects.filter(case=complete).count()
    propose("verification.approve", complete, by=world.alice, reason="all_checks_met")
    complete.customer.refresh_from_db()
    assert complete.customer.level == "L0"
    assert Message.objects.filter(case=complete).count() == messages


def test_an_accepted_item_is_not_asked_again(complete, world):
    with pytest.raises(ConditionsNotMet, match="already accepted"):
        bring(complete, "identity_front", "national_id", by=world.alice)


def test_a_closed_case_keeps_its_verdicts(complete, world):
    evidence = complete.evidence.first()
    confirm(propose("verification.approve", complete, by=world.alice, reason="all_checks_met"), by=world.bob)
    with pytest.raises(ConditionsNotMet, match="finished"):
        perform(evidence.revoke, by=world.bob)


def test_a_decision_on_a_page_that_is_out_of_date_is_refused(complete, world):
    seen = rules.evidence_digest(complete).hex()
    perform(complete.evidence.get(purpose="identity_back").revoke, by=world.bob)
    with pytest.raises(WrongState, match="evidence changed"):
        services.submit(complete, "reject", by=world.alice, reason="person_differs", note="", seen=seen)


def test_changed_evidence_voids_the_proposal_and_a_note_does_not(complete, world):
    proposal = propose("verification.reject", complete, by=world.alice, reason="person_differs")
    engine.write_note(complete, by=world.alice, text="Asked a colleague.")
    perform(complete.evidence.get(purpose="identity_back").revoke, by=world.bob)
    with pytest.raises(EvidenceChanged):
        confirm(proposal, by=world.bob)


def test_the_maker_never_confirms_and_the_second_confirmation_is_late(complete, world):
    proposal = propose("verification.approve", complete, by=world.bob, reason="all_checks_met")
    with pytest.raises(SamePerson):
        confirm(proposal, by=world.bob)
    confirm(proposal, by=world.erin)
    with pytest.raises(AlreadyDecided):
        confirm(proposal, by=world.erin)
    complete.customer.refresh_from_db()
    assert complete.customer.level == "L1"


def test_an_older_refused_file_cannot_push_a_newer_one_aside(case, world):
    bring(case, "identity_front", "passport", by=world.alice)
    case = services.review(case, by=world.alice)
    older = engine.reject(case.evidence.get(), by=world.alice, reasons=["document_altered"])
    bring(case, "identity_front", "passport", by=world.alice)
    with pytest.raises(ConditionsNotMet, match="newer"):
        engine.reconsider(older, by=world.alice)
