"""The stretch of time over which a limit counts: pure arithmetic on moments and zones, no database.

`calendar`: the running day, week (from Monday) or month in the zone. `fixed`: spans that follow one another from the
anchor, the moment the limit was first set; a day is 24 hours, a week seven times that, a month the same wall-clock time
of the next month, or that month's last day. `rolling`: the last 24 hours, seven days or month. Where a wall-clock time
occurs twice the earlier one is taken: a longer stretch protects more.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compliance.policy.records import Period

ELAPSED = {"day": timedelta(hours=24), "week": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Counts what happened from `since` on. `until`: when the next one begins; None for a rolling one."""

    since: datetime
    until: datetime | None


def stretch(window: str, span: str, at: datetime, *, zone: ZoneInfo, anchor: datetime) -> Stretch:
    """The stretch that runs at the moment `at` (aware, any zone); both ends are in UTC."""
    # Python adds hours to a local time by the clock on the wall; only in UTC is an hour an hour.
    at, anchor = at.astimezone(UTC), anchor.astimezone(UTC)
    match window:
        case "calendar":
            return _calendar(span, at, zone)
        case "fixed":
            return _fixed(span, at, zone, anchor)
        case "rolling":
            return Stretch(_back(span, at, zone), None)
    raise ValueError(f"no such window: {window}")


def end_of(window: str, span: str, at: datetime, *, zone: ZoneInfo, anchor: datetime) -> datetime:
    """When the running stretch is over; of a rolling one, when nothing that counts at `at` counts any longer."""
    at = at.astimezone(UTC)
    until = stretch(window, span, at, zone=zone, anchor=anchor).until
    return until or (months_later(at, 1, zone) if span == "month" else at + ELAPSED[span])


def after(period: Period, at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after the period: of days the later of as many times 24 hours and the same time of the day."""
    at = at.astimezone(UTC)
    match period.unit:
        case "hour":
            return at + timedelta(hours=period.amount)
        case "calendar_day":
            days = timedelta(days=period.amount)
            return max(at + days, _moment(at.astimezone(zone).replace(tzinfo=None) + days, zone))
        case "month" | "year":
            return months_later(at, period.amount * (12 if period.unit == "year" else 1), zone)
    raise ValueError(f"{period}: moments cannot be counted in this unit.")


def months_later(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same wall-clock time so many months later (or earlier), on the month's last day where it has no such day."""
    local = at.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return _moment(local.replace(year=year, month=month + 1, day=day, tzinfo=None), zone)


def _calendar(span: str, at: datetime, zone: ZoneInfo) -> Stretch:
    day = at.astimezone(zone).date()
    if span == "day":
        first, following = day, day + timedelta(days=1)
    elif span == "week":
        first = day - timedelta(days=day.weekday())
        following = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    since, until = (_moment(datetime.combine(one, time()), zone) for one in (first, following))
    return Stretch(since, until)


def _fixed(span: str, at: datetime, zone: ZoneInfo, anchor: datetime) -> Stretch:
    if span in ELAPSED:
        since = anchor + (at - anchor) // ELAPSED[span] * ELAPSED[span]
        return Stretch(since, since + ELAPSED[span])
    first, now = anchor.astimezone(zone), at.astimezone(zone)
    # Counted from the anchor each time: from one 31st to the next, whatever months lie between.
    count = (now.year - first.year) * 12 + now.month - first.month
    while months_later(anchor, count, zone) > at:
        count -= 1
    while months_later(anchor, count + 1, zone) <= at:
        count += 1
    return Stretch(months_later(anchor, count, zone), months_later(anchor, count + 1, zone))


def _back(span: str, at: datetime, zone: ZoneInfo) -> datetime:
    return months_later(at, -1, zone) if span == "month" else at - ELAPSED[span]


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time as a moment; of a time that occurs twice the earlier. A midnight that the clocks leave out is
    the first moment of its day."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
