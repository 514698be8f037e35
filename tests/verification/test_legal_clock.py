"""Where the law gives due diligence a time from the day on which an amount was reached, a clock of the law counts."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.clocks import arithmetic
from cases.clocks.models import Clock, Kind
from cases.models import Case, Message
from cases.types.verification import deadlines, endings, funds, services
from cases.types.verification.models import FundsDecision, Verification
from cases.types.verification.tasks import lapse
from compliance.people.models import Licensee, Restriction
from compliance.policy import PolicyNotVerified
from tests.gaming.kept_out import stopped
from tests.verification.conftest import asked, completed

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world):
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    case = world.verification("L1")
    services.withdraw(case, by=world.alice)
    Restriction.objects.all().delete()
    return type(case.account).objects.select_related("licensee", "customer").get(pk=case.account_id)


def opened(account, because):
    crossed = timezone.now() - timedelta(days=3)
    case = services.open(account, level="L1", by=system(), because=because, crossed_at=crossed)
    return case, crossed, Clock.objects.filter(case=case, kind=Kind.STATUTORY)


def test_maltas_thirty_days_count_from_the_day_the_amount_was_reached(account):
    case, crossed, clocks = opened(account, "threshold")
    clock = clocks.get()
    assert clock.rule == "MT.CDD.30D"
    licensee = case.licensee
    last = licensee.day_of(crossed) + timedelta(days=30)
    due = arithmetic.reading(clock, [], at=timezone.now()).due_at
    assert due == licensee.day_starts(last + timedelta(days=1))


def test_whoever_applies_has_no_such_clock_nor_has_a_country_without_the_rule(account, world):
    assert not opened(account, "application")[2].exists()
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="TR", time_zone="Europe/Istanbul")
    other = world.verification("L1")
    services.withdraw(other, by=world.alice)
    assert not opened(other.account, "threshold")[2].exists()


# ------------------------------------------------------------------------------------------ when the law's time passes
LATER = "MT-2026-11-24+EU-2026-11-24"  # says what follows; the version before does not


@pytest.fixture
def late(account, world):
    """One in each state, whose amount was reached so many days ago, under a version of the policy."""

    def made(state, *, days=32, version=LATER):
        crossed = timezone.now() - timedelta(days=days)
        case = services.open(account, level="L1", by=system(), because="threshold", crossed_at=crossed)
        Case.objects.filter(pk=case.pk).update(policy_version=version)
        case = Verification.objects.get(pk=case.pk)
        return {"open": lambda: case, "in_review": lambda: completed(case, by=world.alice)}.get(
            state, lambda: asked(case, by=world.alice)
        )()

    return made


@pytest.mark.parametrize("state", ["open", "in_review", "waiting"])
def test_what_the_policy_states_follows_in_one_act_when_the_thirty_days_pass(late, state):
    """MT.CDD.30D, MT.CDD.30D_PASSED: the case ends, deposits and play stop, the balance waits for two persons."""
    case = late(state)
    assert case.state == state
    lapse()
    lapse()
    case = Verification.objects.get(pk=case.pk)
    assert (case.state, case.outcome, case.reason) == ("closed", "lapsed", "law_time_over")
    assert stopped(case.account) == {"deposit", "play"}
    assert funds.is_open(case) and not Clock.objects.filter(case=case, kind=Kind.STATUTORY, stopped_at=None).exists()
    assert "yasanın tanıdığı süre doldu" in engine.message_text(Message.objects.get(case=case, code="law_time_over"))
    actions = list(Entry.objects.filter(matter=case.number).order_by("id").values_list("action", flat=True))
    done = ["clocks.stop", "people.restrict", "verification.open_funds", "cases.write_message"]
    assert actions[actions.index("verification.overrun") + 1 :] == done
    assert endings.FUNDS[case.outcome][0] == "return_to_source"


@pytest.mark.parametrize(
    ("days", "version"), [(29, LATER), (32, "MT-2026-11-23+EU-2026-01-01")], ids=["in time", "says nothing of it"]
)
def test_nothing_follows_in_time_or_where_the_pinned_policy_states_nothing(late, days, version):
    case = late("in_review", days=days, version=version)
    lapse()
    assert Verification.objects.get(pk=case.pk).state == "in_review"
    with pytest.raises(ConditionsNotMet, match="time is not over"):
        deadlines.overrun(case)


def test_a_case_whose_policy_does_not_say_how_it_ends_keeps_nobody_waiting(late, world, monkeypatch, caplog):
    first = late("in_review")
    carried_out = []

    def act(case):
        if not carried_out:
            carried_out.append(case)
            raise PolicyNotVerified("verification.objection_days")
        return case

    assert [deadlines._carried_out(act, first) for _each in range(2)] == [False, True]
    assert first.number in caplog.text


def test_all_of_it_or_nothing(late, monkeypatch):
    case = late("in_review")

    def fail(*args, **kwargs):
        raise RuntimeError("no decision")

    monkeypatch.setattr(deadlines.funds, "open_decision", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        deadlines.overrun(case)
    assert Verification.objects.get(pk=case.pk).state == "in_review"
    assert stopped(case.account) == set()
    assert not FundsDecision.objects.filter(case=case).exists()
