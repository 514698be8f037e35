"""Where the law gives due diligence a time from the day on which an amount was reached, a clock of the law counts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actors import system
from cases.clocks import arithmetic
from cases.clocks.models import Clock, Kind
from cases.types.verification import services
from compliance.people.models import Licensee

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(world):
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    case = world.verification("L1")
    services.withdraw(case, by=world.alice)
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
