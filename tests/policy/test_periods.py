"""When a period is over: the first day after it, as calendars count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.policy import policy_at
from compliance.policy.records import Period

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("amount", "unit", "day", "over"),
    [
        (8, "year", date(2018, 5, 31), date(2026, 6, 1)),
        (8, "year", date(2016, 2, 29), date(2024, 3, 1)),
        (1, "year", date(2016, 2, 29), date(2017, 3, 1)),
        (6, "month", date(2026, 8, 31), date(2027, 3, 1)),
        (1, "month", date(2026, 1, 31), date(2026, 3, 1)),
        (30, "calendar_day", date(2026, 1, 1), date(2026, 2, 1)),
    ],
)
def test_the_first_day_after_a_period(amount, unit, day, over):
    assert Period(amount=amount, unit=unit).after(day) == over


@given(day=DAYS, years=st.integers(1, 40))
def test_a_longer_period_never_ends_earlier(day, years):
    period = Period(amount=years, unit="year")
    assert Period(amount=years + 1, unit="year").after(day) > period.after(day) > day
    assert period.after(day + timedelta(days=1)) >= period.after(day)
    assert Period(amount=years * 12, unit="month").after(day) == period.after(day)


@pytest.mark.parametrize("unit", ["hour", "working_day"])
def test_hours_and_working_days_are_not_counted_by_guess(unit):
    with pytest.raises(ValueError, match="cannot be counted"):
        Period(amount=3, unit=unit).after(date(2026, 1, 1))


def test_the_periods_are_those_of_the_sources():
    tr, gb = policy_at("TR-2026-02-01").retention, policy_at("GB-2026-06-30").retention
    assert str(tr.identity_documents.value) == "8 years"
    assert str(tr.erasure_log.value) == "3 years"
    assert str(tr.destruction_interval.value) == "6 months"
    assert str(tr.log.value) == str(gb.log.value) == "12 months"
    assert not gb.known("identity_documents")
    now = policy_at("GB-2026-11-22").retention
    assert str(now.identity_documents.value) == str(now.transactions.value) == "5 years"
    assert (now.identity_documents.id, now.transactions.id) == ("GB.RET.IDENTITY", "GB.RET.TRANSACTIONS")
    assert not now.known("books") and not now.known("erasure_log") and not now.known("destruction_interval")
