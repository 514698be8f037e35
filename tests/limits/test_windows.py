"""Over which stretch a limit counts: vectors for changes of the clock, ends of months and leap days; and properties."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases.types.gaming.limits.windows import after, end_of, months_later, stretch
from compliance.policy.records import Period

ZONES = ["UTC", "Europe/London", "Europe/Istanbul", "America/Havana", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu"]


def moment(text, zone="UTC", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


# window, span, zone, anchor, at -> since, until (all in the zone's own wall-clock time)
VECTORS = [
    # A day on which the clock goes forward has 23 hours, one on which it goes back 25.
    (
        "calendar",
        "day",
        "Europe/London",
        "2026-01-01T00:00",
        "2026-03-29T12:00",
        "2026-03-29T00:00",
        "2026-03-30T00:00",
    ),
    (
        "calendar",
        "day",
        "Europe/London",
        "2026-01-01T00:00",
        "2026-10-25T23:59",
        "2026-10-25T00:00",
        "2026-10-26T00:00",
    ),
    (
        "calendar",
        "week",
        "Europe/London",
        "2026-01-01T00:00",
        "2026-03-29T23:59",
        "2026-03-23T00:00",
        "2026-03-30T00:00",
    ),
    (
        "calendar",
        "month",
        "Europe/London",
        "2026-01-01T00:00",
        "2028-02-29T12:00",
        "2028-02-01T00:00",
        "2028-03-01T00:00",
    ),
    (
        "calendar",
        "month",
        "Europe/London",
        "2026-01-01T00:00",
        "2026-12-31T23:59",
        "2026-12-01T00:00",
        "2027-01-01T00:00",
    ),
    # Midnight that the clock leaves out (Cairo, 2026-04-24): the day begins at one.
    ("calendar", "day", "Africa/Cairo", "2026-01-01T00:00", "2026-04-24T12:00", "2026-04-24T01:00", "2026-04-25T00:00"),
    # From one 31st to the next, whatever months lie between.
    ("fixed", "month", "UTC", "2026-01-31T10:00", "2026-02-28T09:59", "2026-01-31T10:00", "2026-02-28T10:00"),
    ("fixed", "month", "UTC", "2026-01-31T10:00", "2026-02-28T10:00", "2026-02-28T10:00", "2026-03-31T10:00"),
    ("fixed", "month", "UTC", "2028-01-31T10:00", "2028-03-01T00:00", "2028-02-29T10:00", "2028-03-31T10:00"),
    ("fixed", "month", "UTC", "2024-02-29T10:00", "2025-03-01T00:00", "2025-02-28T10:00", "2025-03-29T10:00"),
    # A fixed day is 24 hours, so over a change of the clock it begins at another time of the day.
    ("fixed", "day", "Europe/London", "2026-03-28T12:00", "2026-03-29T12:30", "2026-03-28T12:00", "2026-03-29T13:00"),
    ("fixed", "week", "UTC", "2026-01-01T10:00", "2026-01-15T10:00", "2026-01-15T10:00", "2026-01-22T10:00"),
    ("rolling", "day", "Europe/London", "2026-01-01T00:00", "2026-03-29T12:00", "2026-03-28T11:00", None),
    ("rolling", "week", "UTC", "2026-01-01T00:00", "2026-03-08T12:00", "2026-03-01T12:00", None),
    ("rolling", "month", "UTC", "2026-01-01T00:00", "2026-03-31T12:00", "2026-02-28T12:00", None),
    ("rolling", "month", "UTC", "2026-01-01T00:00", "2028-03-30T12:00", "2028-02-29T12:00", None),
]


@pytest.mark.parametrize(("window", "span", "zone", "anchor", "at", "since", "until"), VECTORS)
def test_vectors(window, span, zone, anchor, at, since, until):
    found = stretch(window, span, moment(at, zone), zone=ZoneInfo(zone), anchor=moment(anchor, zone))
    assert found.since == moment(since, zone).astimezone(UTC)
    assert found.until == (moment(until, zone).astimezone(UTC) if until else None)


def test_a_midnight_that_occurs_twice_begins_the_day_the_first_time():
    """Havana, 2026-11-01: at one o'clock it is midnight once more."""
    zone = ZoneInfo("America/Havana")
    found = stretch("calendar", "day", datetime(2026, 11, 1, 18, tzinfo=UTC), zone=zone, anchor=datetime.now(UTC))
    assert found.since == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert found.until - found.since == timedelta(hours=25)


FIRST = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 12 * 365 * 86400).map(lambda seconds: FIRST + timedelta(seconds=seconds))
SPANS = st.sampled_from(["day", "week", "month"])


@given(st.sampled_from(["calendar", "fixed"]), SPANS, st.sampled_from(ZONES), MOMENTS, MOMENTS)
@example("calendar", "day", "Pacific/Apia", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
def test_stretches_follow_one_another_without_a_gap(window, span, zone, anchor, at):
    info = ZoneInfo(zone)
    found = stretch(window, span, at, zone=info, anchor=anchor)
    assert found.since <= at < found.until
    following = stretch(window, span, found.until, zone=info, anchor=anchor)
    assert following.since == found.until
    assert stretch(window, span, found.since, zone=info, anchor=anchor) == found


@given(st.sampled_from(["calendar", "fixed", "rolling"]), SPANS, st.sampled_from(ZONES), MOMENTS, MOMENTS)
def test_the_end_of_a_stretch_is_ahead_and_within_a_span(window, span, zone, anchor, at):
    over = end_of(window, span, at, zone=ZoneInfo(zone), anchor=anchor)
    longest = {"day": 25, "week": 169, "month": 31 * 24 + 1}[span]
    assert timedelta(0) < over - at <= timedelta(hours=longest)


@given(SPANS, st.sampled_from(ZONES), MOMENTS)
def test_the_last_span_holds_every_calendar_and_fixed_one_so_far(span, zone, at):
    """Why going over to a rolling stretch weakens nothing, apart from the hour that a clock going back adds."""
    info = ZoneInfo(zone)
    rolling = stretch("rolling", span, at, zone=info, anchor=at).since
    calendar = stretch("calendar", span, at, zone=info, anchor=at).since
    assert rolling <= calendar + timedelta(hours=1)


@pytest.mark.parametrize(
    ("amount", "unit", "zone", "at", "then"),
    [
        (24, "hour", "Europe/London", "2026-03-28T12:00", "2026-03-29T13:00"),
        # Seven days are both 7 x 24 hours and the same time of the day: the later of the two.
        (7, "calendar_day", "Europe/London", "2026-03-25T12:00", "2026-04-01T13:00"),
        (7, "calendar_day", "Europe/London", "2026-10-21T12:00", "2026-10-28T12:00"),
        (1, "month", "UTC", "2026-01-31T12:00", "2026-02-28T12:00"),
        (1, "year", "UTC", "2028-02-29T12:00", "2029-02-28T12:00"),
    ],
)
def test_waiting(amount, unit, zone, at, then):
    assert after(Period(amount=amount, unit=unit), moment(at, zone), ZoneInfo(zone)) == moment(then, zone)


@given(st.integers(1, 40), st.sampled_from(ZONES), MOMENTS)
def test_days_are_never_shorter_than_24_hours(days, zone, at):
    assert after(Period(amount=days, unit="calendar_day"), at, ZoneInfo(zone)) - at >= timedelta(days=days)


@given(MOMENTS, st.integers(-30, 30), st.sampled_from(ZONES))
def test_months_keep_their_order(at, months, zone):
    info = ZoneInfo(zone)
    assert months_later(at, months, info) < months_later(at, months + 1, info)


def test_working_days_are_no_wait():
    with pytest.raises(ValueError, match="cannot be counted"):
        after(Period(amount=1, unit="working_day"), datetime.now(UTC), ZoneInfo("UTC"))
