"""Electronic checks: asked from the outbox, answered at once or by a signed message, and closed when anything fails."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases.models import Evidence
from cases.types.verification import history, services
from cases.types.verification import rules as verification_rules
from cases.types.verification.checks import adapters, answers, rules
from cases.types.verification.checks import services as checks
from cases.types.verification.checks.models import Check, Kind
from cases.types.verification.models import Requirement
from compliance.outbox.models import OutboxRow
from compliance.platform.inbound import services as inbound
from compliance.platform.inbound.kinds import Incoming
from compliance.platform.webhooks.sending import Outcome
from compliance.policy.book import book
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from tests.verification.conftest import completed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def set_up(settings):
    settings.CHECKS = dict.fromkeys(Kind.values, "simulator")
    settings.CHECKS_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


def asked(case, world, kind="population_register"):
    check = checks.order(case, kind, by=world.alice)
    return worked(check)


def worked(check, attempts=1):
    row = OutboxRow.objects.filter(kind=checks.ASK, payload__check_id=str(check.pk)).latest("created_at")
    row.attempts = attempts
    checks.ask(row)
    return Check.objects.get(pk=check.pk)


@pytest.mark.parametrize(
    ("surname", "state", "result"),
    [
        ("Yılmaz", "answered", "match"),
        ("Differs", "answered", "differs"),
        ("Unclear", "answered", "unclear"),
        ("Later", "asked", ""),
    ],
)
def test_the_simulator_that_ships_gives_each_answer(world, surname, state, result):
    case = world.verification("L1", full_name=f"Ayşe {surname}")
    check = asked(case, world)
    assert (check.state, check.result) == (state, result)


def test_what_cannot_be_reached_is_tried_again_and_then_fails_closed(world):
    case = completed(world.verification("L1", full_name="Ayşe Down"), by=world.alice)
    check = checks.order(case, "population_register", by=world.alice)
    with pytest.raises(adapters.NotAnswered):
        worked(check)
    check = worked(check, attempts=checks.TRIES)
    assert (check.state, check.error) == ("failed", "unreachable")
    assert case.unmet("approve")
    assert checks.again(check, by=world.alice).state == "asked"


def test_what_the_law_asks_for_before_service_stands_against_approval_until_it_is_confirmed(case, world, settings):
    """TR.CDD.ONLINE_BET: population register, occupation, contract with a bank, verification transfer."""
    case = completed(case, by=world.alice)
    assert len(rules.stands_against_approval(case)) == 4
    settings.CHECKS = {"population_register": "simulator"}
    assert len(rules.stands_against_approval(case)) == 1
    asked(case, world)
    assert case.unmet("approve") == []
    settings.CHECKS = {}
    assert rules.stands_against_approval(case) == []
    with pytest.raises(ConditionsNotMet, match="papers"):
        checks.order(case, "idv", by=world.alice)


def decide(client, user, case, act, **typed):
    client.force_login(user)
    page = reverse("cases:verification-decide", args=[case.number, act])
    seen = client.get(page).context["form"].initial["seen"]
    return client.post(page, {"note": "", "seen": seen, **typed})


def test_where_nobody_is_set_up_two_persons_confirm_by_hand_and_nothing_is_approved_before(world, settings, client):
    """TR.CDD.ONLINE_BET fails closed: no adapter is no answer."""
    settings.CHECKS, settings.CHECKS_COUNT = {}, True
    case = completed(world.verification("L1"), by=world.alice)
    refused = decide(client, world.alice, case, "approve", reason="all_checks_met")
    said = refused.content.decode()
    assert refused.status_code == 422 and "Population register" in said and "confirm it by hand" in said
    home = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert reverse("cases:verification-decide", args=[case.number, "confirm_checks"]) in home
    with pytest.raises(SecondPersonNeeded):
        services.confirm_checks(case, by=world.bob, reason="seen_in_source")
    assert decide(client, world.alice, case, "confirm_checks", reason="seen_in_source").status_code == 302
    assert not Check.objects.exists(), "one person confirms nothing"
    client.force_login(world.bob)
    proposal = Proposal.objects.parked().get(subject_id=case.pk)
    assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 302
    kept = Check.objects.filter(case=case).values_list("kind", "result", "codes")
    assert sorted(kept) == [
        ("bank_contract", "match", ["by_hand"]),
        ("occupation", "match", ["by_hand"]),
        ("population_register", "match", ["by_hand"]),
        ("verification_transfer", "match", ["by_hand"]),
    ]
    entry = Entry.objects.get(action="verification.confirm_checks")
    assert entry.matter == case.number
    case.refresh_from_db()
    assert case.unmet("approve") == []
    assert decide(client, world.alice, case, "confirm_checks", reason="seen_in_source").status_code == 422


def test_what_somebody_is_set_up_to_answer_is_not_confirmed_by_hand(world, settings, client):
    settings.CHECKS_COUNT = True
    case = completed(world.verification("L1"), by=world.alice)
    assert decide(client, world.alice, case, "confirm_checks", reason="seen_in_source").status_code == 422
    asked(case, world)
    assert len(case.unmet("approve")) == 3
    settings.CHECKS = {}
    assert rules.by_hand(case) == ["occupation", "bank_contract", "verification_transfer"]


def test_asking_once_more_hides_no_answer(world):
    case = completed(world.verification("L1", full_name="Ayşe Differs"), by=world.alice)
    asked(case, world, "idv")
    before = rules.stands_against_approval(case)
    checks.order(case, "idv", by=world.alice)
    assert rules.stands_against_approval(case) == before and any("vendor" in said for said in before)


def test_one_question_of_a_kind_at_a_time_by_who_works_on_the_case(world, client):
    case = world.verification("L1", full_name="Ayşe Later")
    client.force_login(world.alice)
    page = reverse("cases:check-order", args=[case.number, "idv"])
    assert page in client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert client.post(page).status_code == 302
    with pytest.raises(ConditionsNotMet):
        checks.order(case, "idv", by=world.alice)
    with pytest.raises(Denied):
        checks.order(case, "population_register", by=world.carol)
    services.withdraw(case, by=world.alice)
    with pytest.raises(ConditionsNotMet):
        checks.order(case, "population_register", by=world.alice)


# ------------------------------------------------------------------------------------------------ signed messages
@pytest.fixture
def vendor(world):
    return inbound.add_sender(
        licensee=world.licensee, kind=answers.VENDOR, name="Vendor", created_by=world.bob, by=world.bob
    )[0]


def message(vendor, check, version, result="match", **more):
    said_at = (timezone.now() + timedelta(seconds=version - 60)).isoformat()
    body = {"check": str(check.pk), "version": version, "result": result, "codes": [], "said_at": said_at}
    return Incoming(vendor, f"m{version}", body | more)


def test_a_vendor_s_later_answer_wins_and_an_older_one_changes_nothing(case, world, vendor):
    case = completed(case, by=world.alice)
    check = checks.order(case, "idv", by=world.alice)
    assert answers.from_a_vendor(message(vendor, check, 2)) == "applied"
    assert answers.from_a_vendor(message(vendor, check, 1, "differs")) == "late"
    assert Check.objects.get(pk=check.pk).result == "match"
    assert answers.from_a_vendor(message(vendor, check, 3, "differs", codes=["face"])) == "applied"
    assert Check.objects.get(pk=check.pk).codes == ["face"]
    file = case.evidence.get(purpose="identity_front")
    assert [row["said"] for row in history.of(file) if row["source"] == "idv"] == ["match", "differs"]
    assert file.state == "accepted", "an answer helps whoever judges and judges nothing"
    assert any("vendor" in line for line in case.unmet("approve"))


def test_what_is_not_understood_changes_nothing(case, world, vendor):
    check = checks.order(case, "idv", by=world.alice)
    for wrong in (
        {"check": "x"},
        {"version": "1"},
        {"version": True},
        {"version": -1},
        {"result": "yes"},
        {"codes": ["a b"]},
        {"codes": "x"},
        {"said_at": "yesterday"},
        {"said_at": "2026-11-22T10:00:00"},
        {"said_at": "2999-01-01T00:00:00+00:00"},
    ):
        given = message(vendor, check, 1)
        assert answers.from_a_vendor(Incoming(vendor, "m", {**given.body, **wrong})) == "unknown", wrong
    assert Check.objects.get(pk=check.pk).state == "asked"


def test_nobody_speaks_of_another_licensee_s_check_or_of_another_kind(case, world, vendor):
    register = checks.order(case, "population_register", by=world.alice)
    assert answers.from_a_vendor(message(vendor, register, 1)) == "unknown"
    other = inbound.add_sender(
        licensee=world.mallory.memberships.get().team.queues.get().licensee,
        kind=answers.VENDOR,
        name="Vendor",
        created_by=world.bob,
        by=system(),
    )[0]
    check = checks.order(case, "idv", by=world.alice)
    assert answers.from_a_vendor(message(other, check, 1)) == "unknown"


def test_a_transfer_must_come_from_the_player_s_own_account(case, world, vendor):
    check = checks.order(case, "verification_transfer", by=world.alice)
    said = [("", ""), (7, ""), ("ISIL YILDIRIN", "unclear"), ("MEHMET DEMIR", "differs"), ("YILDIRIM ISIL", "match")]
    for version, (payer, result) in enumerate(said):
        came = answers.from_a_bank(message(vendor, check, version, payer=payer))
        assert came == ("applied" if result else "unknown")
        assert Check.objects.get(pk=check.pk).result == result


# ------------------------------------------------------------------------------------------------------ the bridge
@pytest.mark.parametrize(
    ("status", "error", "reply", "expected"),
    [
        (200, "", {"result": "match", "codes": [], "said_at": "2026-11-01T10:00:00+00:00"}, "match"),
        (202, "", {}, None),
        (200, "", {"result": "fine"}, "not_understood"),
        (200, "", [], "not_understood"),
        (500, "status", {}, "unreachable"),
        (None, "timeout", {}, "unreachable"),
    ],
)
def test_the_bridge_answers_or_fails_closed(monkeypatch, status, error, reply, expected):
    sent = {}

    def post(url, headers, body, **options):
        sent.update(url=url, headers=headers, body=json.loads(body))
        return Outcome(status, error, json.dumps(reply).encode(), 5)

    monkeypatch.setattr(adapters.sending, "post", post)
    question = adapters.Question("id", "idv", "Işıl Yıldırım", "1991-03-14", "TR", "")
    try:
        answer = adapters.Bridge("https://bridge.example.com/").ask(question)
        said = answer.result if answer else None
    except adapters.NotAnswered as trouble:
        said = trouble.code
    assert said == expected
    assert sent["headers"]["webhook-signature"].startswith("v1,") and sent["body"]["full_name"] == "Işıl Yıldırım"


# ------------------------------------------------------------------------------------------ in place of a document
def answer(case, kind, result, world, *, at=None):
    """The newest word of a register, a bank or a vendor on this case."""
    check = Check.objects.create(case=case, kind=kind, asked_at=timezone.now(), asked_by=str(world.alice.audit_actor))
    checks.answered(check, adapters.Answer(result, (), at or timezone.now()))
    return Check.objects.get(pk=check.pk)


def test_a_confirmed_check_meets_an_item_where_the_policy_says_so_and_nothing_else_does(
    rules_of_the_24th, world, client
):
    """OP.KYC.INSTEAD_BACK, OP.KYC.INSTEAD_PAYMENT. The front is Turkish law: a document, whatever a vendor says."""
    case = services.review(world.verification("L3"), by=world.alice)
    everything = [rule.purpose for rule in verification_rules.asked(case)]

    def missing():
        return [one for one in everything if one in verification_rules.missing_evidence(case)]

    failed = Check.objects.create(case=case, kind="idv", asked_at=timezone.now(), asked_by="staff:x")
    checks.perform(failed.fail, by=system(), error="unreachable")
    for result in ("differs", "unclear"):
        answer(case, "idv", result, world)
        assert missing() == everything
    services.confirm_by_hand(case, ["verification_transfer"], by=world.bob)
    assert "payment_ownership" in missing(), "what people confirm by hand is no answer of a bank"
    services.ask(case, by=world.alice, missing=["identity_back"])
    answer(case, "idv", "match", world)
    case.refresh_from_db()
    assert case.state == "in_review", "it was the last thing that was waited for"
    answer(case, "verification_transfer", "match", world)
    assert missing() == [one for one in everything if one not in ("identity_back", "payment_ownership")]
    met = Requirement.objects.filter(case=case, met_at__isnull=False).values_list("purpose", flat=True)
    assert sorted(met) == ["identity_back", "payment_ownership"]
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    listed = page.split('id="checks"')[1].split("</ul>")[0]
    assert "Identity check by a vendor" in listed and "Transfer from the player’s own bank account" in listed
    answer(case, "idv", "differs", world)
    assert "identity_back" in missing() and case.unmet("approve")
    assert Requirement.objects.get(case=case, purpose="identity_back").met_at is None


def test_a_file_counts_before_a_check_and_a_decision_names_what_it_rests_on(rules_of_the_24th, world):
    case = completed(world.verification("L1"), by=world.alice)
    back = case.evidence.get(purpose="identity_back")
    engine.revoke(back, by=world.bob, reason="seen_later")
    answer(case, "idv", "match", world)
    assert verification_rules.missing_evidence(case) == ["identity_back"], "a file that waits is judged first"
    engine.ask_again(Evidence.objects.get(pk=back.pk), by=world.alice, reasons=["image_glare"])
    assert verification_rules.missing_evidence(case) == ["identity_back"], "the verdict is newer than the check"
    before = verification_rules.evidence_digest(case)
    check = answer(case, "idv", "match", world)
    assert verification_rules.missing_evidence(case) == [] and verification_rules.standing(case) == "approve"
    assert verification_rules.evidence_digest(case) != before
    late = Check.objects.filter(pk=check.pk)
    late.update(asked_at=Evidence.objects.get(pk=back.pk).decided_at - timedelta(seconds=1))
    assert verification_rules.missing_evidence(case) == ["identity_back"], "asked before the verdict, answered after it"
    late.update(asked_at=check.asked_at)
    open_one = Check.objects.create(case=case, kind="idv", asked_at=timezone.now(), asked_by="staff:x")
    assert verification_rules.missing_evidence(case) == ["identity_back"], "asked once more"
    checks.perform(open_one.fail, by=system(), error="unreachable")
    assert verification_rules.missing_evidence(case) == ["identity_back"], "and nobody could be asked"
    check = answer(case, "idv", "match", world)
    assert verification_rules.missing_evidence(case) == []
    for kind in ("population_register", "occupation", "bank_contract", "verification_transfer"):
        answer(case, kind, "match", world)
    seen = verification_rules.evidence_digest(case).hex()
    services.submit(case, "approve", by=world.alice, reason="all_checks_met", note="", seen=seen)
    answer(case, "idv", "unclear", world, at=check.said_at + timedelta(seconds=1))
    proposal = Proposal.objects.get(subject_id=case.pk)
    assert proposal.state == "voided"
    said = verification_rules.change_text("check:identity_back", str(check.pk), None)
    assert said == "Identity document, back: what an electronic check says of it changed"
    again = Evidence.objects.get(pk=back.pk)
    engine.reject(engine.reconsider(again, by=world.alice), by=world.alice, reasons=["document_altered"])
    answer(case, "idv", "match", world, at=timezone.now() + timedelta(seconds=2))
    assert verification_rules.missing_evidence(case) == ["identity_back"], "refused for good stands against it"


def test_only_a_rule_of_the_law_replaces_what_the_law_asks_for_by_document():
    """OP.KYC.INSTEAD_FRONT reaches no document that a law asks for (TR.KYC.IDENTITY_FRONT, GB)."""

    def instead(place):
        verification = book().versions[f"{place}-2026-11-24"].verification
        return verification.instead_of(verification.level("L1").required[0])

    assert (instead("GB"), instead("DE"), instead("TR")) == ((), ("idv",), ())
