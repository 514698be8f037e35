"""Working time: how much of it lies between two moments, and when a span of it is used up. Pure arithmetic.

Hours are local times of a zone; between 24 and 32 hours apart two moments may be on the day the clocks change, so every
span is turned into UTC before it is counted. A span that begins in the hour that a spring skips begins at its end; an
hour that an autumn repeats counts twice, because it is worked twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from compliance.policy.holidays import MIDNIGHT, Holiday, holiday_on

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_SEARCH = 1200  # days after which hours without any working time are taken for a mistake
Spans = tuple[tuple[time, time], ...]


class HoursBroken(ValueError):
    """Working hours that overlap, run backwards, or never come."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one day contributed: the working spans in it (UTC), and the holiday that took some or all of it."""

    day: date
    spans: tuple[tuple[datetime, datetime], ...]
    holiday: Holiday | None

    @property
    def total(self) -> timedelta:
        return sum((end - start for start, end in self.spans), timedelta())


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The hours of a queue. `week` maps mon..sun to spans of local time; a break is the gap between two spans.

    A span that ends at 00:00 ends at midnight. Without a `country` there are no holidays.
    """

    zone: str
    week: Mapping[str, Spans]
    country: str = ""

    def __post_init__(self) -> None:
        if set(self.week) - set(DAYS) or not any(self.week.values()):
            raise HoursBroken("Name the days mon to sun, and at least one hour to work in.")
        for name, spans in self.week.items():
            flat = [_minutes(moment, end=place % 2 == 1) for place, moment in enumerate(_flat(spans))]
            if any(later <= earlier for earlier, later in zip(flat, flat[1:], strict=False)):
                raise HoursBroken(f"{name}: spans must run forward and must not touch or overlap.")

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "WorkingHours":
        """From what `as_data` wrote."""
        week = {
            name: tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in spans)
            for name, spans in data["week"].items()
        }
        return cls(data["zone"], week, data.get("country", ""))

    def as_data(self) -> dict[str, Any]:
        week = {
            name: [[start.isoformat("minutes"), end.isoformat("minutes")] for start, end in spans]
            for name, spans in self.week.items()
        }
        return {"zone": self.zone, "week": week, "country": self.country}

    def on(self, day: date) -> Counted:
        """The working spans of a local day. CalendarMissing when nobody wrote the holidays of its year."""
        holiday = holiday_on(self.country, day) if self.country else None
        stops = holiday.begins if holiday else None
        spans = (self._utc(day, start, end) for start, end in _cut(self.week.get(DAYS[day.weekday()], ()), stops))
        return Counted(day, tuple((start, end) for start, end in spans if start < end), holiday)

    def between(self, start: datetime, end: datetime) -> Iterator[Counted]:
        """Day by day, what of it lies between two moments."""
        zone = ZoneInfo(self.zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            counted = self.on(day)
            spans = ((max(begin, start), min(stop, end)) for begin, stop in counted.spans)
            yield Counted(day, tuple((begin, stop) for begin, stop in spans if begin < stop), counted.holiday)
            day += timedelta(days=1)

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments; nothing when `end` is not after `start`."""
        if end <= start:
            return timedelta()
        return sum((counted.total for counted in self.between(start, end)), timedelta())

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The first moment at which `span` of working time has passed since `start`, in UTC."""
        left, day = span, start.astimezone(ZoneInfo(self.zone)).date()
        if left <= timedelta():
            return start.astimezone(UTC)
        for _step in range(LONGEST_SEARCH):
            for begin, stop in self.on(day).spans:
                begin = max(begin, start)
                if begin < stop:
                    if begin + left <= stop:
                        return begin + left
                    left -= stop - begin
            day += timedelta(days=1)
        raise HoursBroken("These hours never come.")

    def _utc(self, day: date, start: time, end: time) -> tuple[datetime, datetime]:
        last = day + timedelta(days=1) if end == MIDNIGHT else day
        return self._moment(day, start, fold=0), self._moment(last, end, fold=1)

    def _moment(self, day: date, at: time, *, fold: int) -> datetime:
        """A time that exists twice is the first for a beginning and the second for an end; one that a spring skips is
        the moment of the change for both.
        """
        zone = ZoneInfo(self.zone)
        moment = datetime.combine(day, at, tzinfo=zone).replace(fold=fold)
        utc = moment.astimezone(UTC)
        if utc.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
            return utc
        before = moment.replace(fold=1).utcoffset() or timedelta()
        after = moment.replace(fold=0).utcoffset() or timedelta()
        return _change_between(zone, utc - abs(before - after) * 2, utc + abs(before - after) * 2)


def _change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The moment at which the zone's offset changes, to the second."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _cut(spans: Spans, stops: time | None) -> Iterator[tuple[time, time]]:
    """The spans up to where the day becomes a holiday."""
    for start, end in spans:
        if stops is None or (end != MIDNIGHT and end <= stops):
            yield start, end
        elif start < stops:
            yield start, stops


def _flat(spans: Spans) -> Iterator[time]:
    for start, end in spans:
        yield start
        yield end


def _minutes(moment: time, *, end: bool) -> int:
    minutes = moment.hour * 60 + moment.minute
    return 24 * 60 if end and minutes == 0 else minutes
