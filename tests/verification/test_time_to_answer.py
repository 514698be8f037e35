"""A case that waits has a deadline, and the system carries the stated consequence out in one act."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, perform
from cases import services as engine
from cases.models import Message
from cases.types.verification import deadlines, rules, services
from cases.types.verification.models import VerificationFacts
from cases.types.verification.tasks import lapse
from compliance.people.models import Account, Restriction
from compliance.people.restrictions import in_force
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, propose
from tests.papers import bring
from tests.verification.conftest import asked, completed

pytestmark = pytest.mark.django_db


def run_out(case):
    VerificationFacts.objects.filter(case=case).update(answer_due_at=Now() - timedelta(seconds=1))


def fresh(case):
    return type(case).objects.get(pk=case.pk)


def stopped(case):
    return [(row.cover_code, row.source, row.stops_play, row.stops_withdraw) for row in in_force(case.customer)]


def test_the_letter_says_until_when_and_what_happens_then(waiting):
    text = engine.message_text(Message.objects.get(case=waiting, code="request"))
    due = VerificationFacts.objects.get(case=waiting).answer_due_at
    assert "Son tarih: " in text
    assert "başvuruyu kapatırız" in text
    assert timedelta(days=14) < due - waiting.opened_at <= timedelta(days=15, minutes=1)


@pytest.mark.parametrize(
    ("asked_at", "due"),
    [
        # Istanbul is three hours ahead: late in the evening in UTC it is tomorrow there.
        (datetime(2026, 11, 22, 20, 59, tzinfo=UTC), datetime(2026, 12, 6, 21, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 21, 0, tzinfo=UTC), datetime(2026, 12, 7, 21, 0, tzinfo=UTC)),
        (datetime(2028, 2, 20, 12, 0, tzinfo=UTC), datetime(2028, 3, 5, 21, 0, tzinfo=UTC)),
    ],
)
def test_the_last_day_ends_in_the_zone_of_the_licensee(case, asked_at, due):
    assert rules.answer_due(case, asked_at) == due


def test_time_that_ran_out_closes_restricts_and_tells_in_one_act(waiting, world):
    run_out(waiting)
    lapse()
    case = fresh(waiting)
    assert (case.state, case.outcome, case.reason, case.waiting_for) == ("closed", "lapsed", "no_answer", "")
    assert stopped(case) == [("verification_needed", "verification", True, False)]
    assert "paranızı yine de çekebilirsiniz" in engine.message_text(Message.objects.get(case=case, code="lapsed"))
    actions = Entry.objects.filter(matter=case.number).order_by("id").values_list("action", flat=True)
    assert list(actions)[-3:] == ["verification.lapse", "people.restrict", "cases.write_message"]


def test_the_sweep_may_run_twice(waiting):
    run_out(waiting)
    assert (deadlines.lapse_overdue(), deadlines.lapse_overdue()) == (1, 0)
    assert Restriction.objects.filter(customer=waiting.customer).count() == 1


def test_the_restriction_and_the_ending_stand_or_fall_together(waiting, monkeypatch):
    run_out(waiting)

    def fail(*args, **kwargs):
        raise RuntimeError("no restriction")

    monkeypatch.setattr("cases.types.verification.holds.restrict", fail)
    with pytest.raises(RuntimeError):
        lapse()
    assert (fresh(waiting).state, stopped(waiting)) == ("waiting", [])


def test_nothing_lapses_before_its_time_not_even_by_the_system(waiting):
    assert deadlines.lapse_overdue() == 0
    with pytest.raises(ConditionsNotMet, match="still has time"):
        perform(waiting.lapse, by=system(), reason="no_answer", at=datetime.now(UTC))


def test_an_answer_stops_the_clock(waiting, world):
    bring(waiting, "identity_front", "national_id", by=world.alice, inspected=False)
    facts = VerificationFacts.objects.get(case=waiting)
    assert (fresh(waiting).state, facts.answer_due_at, facts.asked_at is not None) == ("in_review", None, True)
    assert deadlines.lapse_overdue() == 0


def test_what_was_proposed_meanwhile_is_void(waiting, world):
    proposal = propose("verification.reject", waiting, by=world.alice, reason="person_differs")
    run_out(waiting)
    lapse()
    assert Proposal.objects.get(pk=proposal.pk).state == "voided"


def test_a_later_approval_lifts_it_and_needs_two_persons_for_that(waiting, world):
    run_out(waiting)
    lapse()
    account = Account.objects.select_related("customer", "licensee").get(pk=waiting.account_id)
    later = completed(services.open(account, level="L1", by=world.alice), by=world.alice)
    type(later.customer).objects.filter(pk=later.customer_id).update(risk="low")
    later = fresh(later)
    assert "restriction" in services.needs_two(later, "verification.approve").why
    assert stopped(later)
    confirm(propose("verification.approve", later, by=world.alice, reason="all_checks_met"), by=world.bob)
    assert stopped(later) == []
    assert Entry.objects.filter(matter=later.number, action="people.lift_restriction").count() == 1


def test_reopening_restores_nothing(waiting, world):
    run_out(waiting)
    lapse()
    confirm(propose("verification.reopen", fresh(waiting), by=world.bob, reason="objection"), by=world.erin)
    assert fresh(waiting).state == "in_review"
    assert stopped(waiting)


def test_the_page_says_until_when(waiting, world, client):
    client.force_login(world.alice)
    page = client.get(f"/cases/{waiting.number}/").content.decode()
    assert "The player’s time to answer" in page
    run_out(waiting)
    lapse()
    assert "The player’s time to answer" not in client.get(f"/cases/{waiting.number}/").content.decode()


def test_asking_a_second_time_gives_the_whole_time_again(waiting, world):
    run_out(waiting)
    bring(waiting, "identity_front", "national_id", by=world.alice, inspected=False)
    case = fresh(waiting)
    engine.ask_again(case.evidence.get(state="pending"), by=world.alice, reasons=["image_glare"])
    services.ask(case, by=world.alice)
    assert deadlines.lapse_overdue() == 0


def test_two_that_wait_lapse_each_by_its_own_time(world):
    early, late = (asked(world.verification("L1"), by=world.alice) for _case in range(2))
    run_out(early)
    deadlines.lapse_overdue()
    assert (fresh(early).state, fresh(late).state) == ("closed", "waiting")
