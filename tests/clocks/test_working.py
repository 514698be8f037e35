"""Working time against vectors of our own (clock changes, half days, year end) and against what must always hold."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cases.clocks.working import DAYS, HoursBroken, WorkingHours
from compliance.policy.holidays import FOLDER, CalendarMissing, calendar_of, countries, holiday_on

NINE_TO_SIX = ((time(9), time(12, 30)), (time(13, 30), time(18)))  # with a break: 8 hours
WEEK = dict.fromkeys(DAYS[:5], NINE_TO_SIX)
ALWAYS = dict.fromkeys(DAYS, ((time(0), time(0)),))
ISTANBUL = WorkingHours("Europe/Istanbul", WEEK, "TR")
LONDON = WorkingHours("Europe/London", ALWAYS, "")
HOUR = timedelta(hours=1)


def at(text, zone="Europe/Istanbul"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23 09:00", 8, "2026-11-23 18:00"),  # one day, its break left out
        ("2026-11-23 12:00", 1, "2026-11-23 14:00"),  # over the break
        ("2026-11-23 07:00", 1, "2026-11-23 10:00"),  # before the day begins
        ("2026-11-27 17:00", 2, "2026-11-30 10:00"),  # over a weekend
        ("2026-10-28 12:00", 1, "2026-10-30 09:30"),  # half day from 13:00, then a holiday: 30 min, then 30 more
        ("2026-03-19 09:00", 4, "2026-03-23 09:30"),  # eve of Ramazan: 3.5 hours, then three days of it
        ("2026-05-26 09:00", 4, "2026-06-01 09:30"),  # eve of Kurban: then four days of it and a Sunday
        ("2026-12-31 17:00", 2, "2027-01-04 10:00"),  # year end: 1 January is a Friday
        ("2028-02-25 12:00", 2, "2028-02-29 10:30"),  # a leap day; Monday 28 February is the third day of Ramazan
    ],
)
def test_when_a_span_of_working_time_is_used_up(start, hours, due):
    assert ISTANBUL.after(at(start), hours * HOUR) == at(due)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-29 00:00", "2026-03-30 00:00", 23),  # the clocks go forward
        ("2026-10-25 00:00", "2026-10-26 00:00", 25),  # and back
        ("2026-06-01 00:00", "2026-06-02 00:00", 24),
    ],
)
def test_a_day_on_which_the_clocks_change(start, end, hours):
    assert LONDON.worked(at(start, "Europe/London"), at(end, "Europe/London")) == hours * HOUR


def test_an_hour_that_does_not_exist_and_one_that_exists_twice():
    night = WorkingHours("Europe/London", dict.fromkeys(DAYS, ((time(1, 30), time(3)),)))
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert night.on(spring).total == HOUR  # 01:30 is skipped: from 02:00 summer time on
    assert night.on(autumn).total == 2.5 * HOUR  # from the first 01:30
    ends = WorkingHours("Europe/London", dict.fromkeys(DAYS, ((time(0), time(1, 30)),)))
    assert ends.on(spring).total == HOUR  # until the clocks change
    assert ends.on(autumn).total == 2.5 * HOUR  # until the second 01:30


WEEKS = st.lists(st.lists(st.integers(0, 95), max_size=6, unique=True).map(sorted), min_size=7, max_size=7).map(
    lambda days: {
        name: tuple(
            (time(a // 4, a % 4 * 15), time(b // 4, b % 4 * 15)) for a, b in zip(marks[::2], marks[1::2], strict=False)
        )
        for name, marks in zip(DAYS, days, strict=True)
    }
)
HOURS = st.builds(
    WorkingHours,
    st.sampled_from(["Europe/Istanbul", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    WEEKS.filter(lambda week: any(week.values())),
    st.sampled_from(["", "TR", "GB"]),
)
MOMENTS = st.integers(0, 60 * 24 * 850).map(
    lambda minutes: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=minutes)
)
SPANS = st.integers(1, 200 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(HOURS, MOMENTS, SPANS)
def test_what_is_used_up_was_worked(hours, start, span):
    try:
        due = hours.after(start, span)
    except (CalendarMissing, HoursBroken):
        assume(False)
    assert hours.worked(start, due) == span
    assert hours.worked(start, due - timedelta(microseconds=1)) < span


@given(HOURS, MOMENTS, st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 40))
def test_two_parts_make_the_whole_and_nothing_exceeds_real_time(hours, start, first, second):
    middle = start + timedelta(minutes=first)
    end = middle + timedelta(minutes=second)
    whole = hours.worked(start, end)
    assert whole == hours.worked(start, middle) + hours.worked(middle, end)
    assert timedelta() <= whole <= end - start


@given(HOURS)
def test_hours_read_back_as_they_were_written(hours):
    assert WorkingHours.read(hours.as_data()) == hours


@pytest.mark.parametrize(
    "week",
    [
        {},
        {"mon": ()},
        {"xyz": NINE_TO_SIX},
        {"mon": ((time(9), time(9)),)},
        {"mon": ((time(12), time(9)),)},
        {"mon": ((time(9), time(12)), (time(11), time(18)))},
    ],
)
def test_hours_that_make_no_sense_are_refused(week):
    with pytest.raises(HoursBroken):
        WorkingHours("UTC", week)


class TestHolidays:
    def test_every_year_of_the_house_is_written(self):
        for country in countries():
            assert calendar_of(country).years >= {2026, 2027, 2028}, country

    def test_every_country_with_a_policy_has_a_calendar(self):
        policies = {file.stem.upper() for file in (FOLDER.parent / "jurisdictions").glob("*.toml")} - {"EU", "OP"}
        assert len(policies) >= 9 and policies <= set(countries())

    # Days after Easter Sunday that the law of each country names, and how many days a year it names in all.
    MOVING = {
        "DE": ({-2, 1, 39, 50}, 9),
        "DK": ({-3, -2, 0, 1, 39, 49, 50}, 10),
        "ES": ({-2}, 10),
        "GB": ({-2, 1}, 8),
        "IT": ({0, 1}, 13),
        "MT": ({-2}, 14),
        "NL": ({-2, 1, 39, 50}, 9),
        "SE": ({-2, 0, 1, 39, 49}, 13),
    }

    @pytest.mark.parametrize(
        "easter", [date(2026, 4, 5), date(2027, 3, 28), date(2028, 4, 16)], ids=lambda day: str(day.year)
    )
    @pytest.mark.parametrize("country", MOVING)
    def test_days_that_follow_easter_follow_it_each_year(self, country, easter):
        moving, all_of_them = self.MOVING[country]
        days = {day for day in calendar_of(country).days if day.year == easter.year}
        assert len(days) == all_of_them
        assert {easter + timedelta(days=after) for after in moving} <= days

    @pytest.mark.parametrize("year", [2026, 2027, 2028])
    def test_swedish_saturdays_are_saturdays(self, year):
        days = {holiday.name: day for day, holiday in calendar_of("SE").days.items() if day.year == year}
        assert date(year, 6, 20) <= days["Midsommardagen"] <= date(year, 6, 26)
        assert date(year, 10, 31) <= days["Alla helgons dag"] <= date(year, 11, 6)
        assert days["Midsommardagen"].weekday() == days["Alla helgons dag"].weekday() == 5

    def test_a_year_that_nobody_wrote_is_an_error_and_not_a_year_without_holidays(self):
        with pytest.raises(CalendarMissing, match="2031"):
            holiday_on("TR", date(2031, 1, 1))
        with pytest.raises(CalendarMissing, match="XX"):
            holiday_on("XX", date(2026, 1, 1))

    @pytest.mark.parametrize("year", [2026, 2027, 2028])
    def test_turkish_feasts_begin_at_13_on_their_eve(self, year):
        days = {day: holiday for day, holiday in calendar_of("TR").days.items() if day.year == year}
        eves = [day for day, holiday in days.items() if holiday.begins == time(13)]
        assert len(eves) == 3
        for eve in eves:
            assert days[eve + timedelta(days=1)].begins == time(0)
        for feast, length in (("Ramazan Bayramı", 3), ("Kurban Bayramı", 4)):
            first = min(day for day, holiday in days.items() if holiday.name == feast)
            assert all(days[first + timedelta(days=after)].begins == time(0) for after in range(length))
            assert days[first - timedelta(days=1)].begins == time(13)

    def test_what_is_not_published_yet_says_so(self):
        days = calendar_of("TR").days
        assert not any(holiday.provisional for day, holiday in days.items() if day.year == 2026)
        assert days[date(2027, 3, 9)].provisional and not days[date(2027, 10, 29)].provisional
