"""Periods as the law counts them, in days of a calendar. They never pause, and are no service targets.

A day that is a holiday from noon on counts as a working day: in doubt a duty falls earlier.
"""

from collections.abc import Callable
from datetime import date, timedelta

from cases.types.monitoring.reports.profiles import Counted
from compliance.policy.holidays import MIDNIGHT, holiday_on

SATURDAY = 5


def is_working(country: str, day: date) -> bool:
    """CalendarMissing where nobody wrote the year: a day counted wrongly would be wrong in silence."""
    holiday = holiday_on(country, day)
    return day.weekday() < SATURDAY and (holiday is None or holiday.begins > MIDNIGHT)


def last_day(start: date, period: Counted, *, works: Callable[[str, date], bool] = is_working) -> date:
    """The last day of a period that begins with what happened on `start`."""
    counted, day = 0, start
    if period.counts_first_day and _counts(period, start, works):
        counted = 1
    while counted < period.amount:
        day += timedelta(days=1)
        counted += _counts(period, day, works)
    return day


def _counts(period: Counted, day: date, works: Callable[[str, date], bool]) -> bool:
    return period.unit == "calendar_day" or works(period.calendar, day)
