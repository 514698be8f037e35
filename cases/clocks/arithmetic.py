"""What a clock says, and why: the same spans give the due time, the elapsed time and the lines that explain them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cases.clocks.models import Clock, Pause
from cases.clocks.working import Counted, WorkingHours
from compliance.policy.holidays import MIDNIGHT

WARN_AT = 0.75
LOOK_AGAIN: Final = timedelta(days=1)  # a feast that is moved moves due times without anybody touching the clocks
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a clock stands at a moment. `due_at` is None while it is paused: it moves on with every minute."""

    elapsed: timedelta
    left: timedelta
    due_at: datetime | None
    warn_at: datetime | None
    paused: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of "Why this time?": a day that counted or a holiday that did not, or a pause."""

    kind: str  # "day" | "holiday" | "pause"
    start: datetime
    end: datetime
    counted: timedelta
    words: str
    pause: Pause | None = None


def reading(clock: Clock, pauses: Sequence[Pause], *, at: datetime) -> Reading:
    end = min(at, clock.stopped_at) if clock.stopped_at else at
    elapsed = sum((_count(clock, *span) for span in running(clock, pauses, until=end)), timedelta())
    paused = clock.stopped_at is None and any(pause.ended_at is None for pause in pauses)
    due_at = None if paused else when(clock, pauses, clock.target)
    warn_at = None if paused else when(clock, pauses, clock.target * WARN_AT)
    return Reading(elapsed, clock.target - elapsed, due_at, warn_at, paused)


def next_look(clock: Clock, at: Reading, *, now: datetime) -> datetime | None:
    """When something may have to be noted next; None when nothing will, or while it is paused."""
    coming = [at.warn_at if clock.warned_at is None else None, at.due_at if clock.breached_at is None else None]
    moments = [moment for moment in coming if moment is not None]
    return min(*moments, now + LOOK_AGAIN) if moments else None


def when(clock: Clock, pauses: Sequence[Pause], span: timedelta) -> datetime:
    """The moment at which `span` has been counted: pauses that lie before it push it back. No pause may be open."""
    left, since = span, clock.started_at
    for pause in sorted(pauses, key=lambda pause: pause.began_at):
        counted = _count(clock, since, max(since, pause.began_at))
        if counted >= left:
            break
        left -= counted
        since = max(since, pause.ended_at or pause.began_at)
    return _after(clock, since, left)


def running(clock: Clock, pauses: Sequence[Pause], *, until: datetime) -> Iterator[Span]:
    """The spans in which it counted."""
    since = clock.started_at
    for pause in sorted(pauses, key=lambda pause: pause.began_at):
        began, ended = pause.span(until)
        if since < min(began, until):
            yield since, min(began, until)
        since = max(since, ended)
    if since < until:
        yield since, until


def explain(clock: Clock, pauses: Sequence[Pause], *, at: datetime) -> list[Line]:
    """Every span counted, every holiday skipped, every pause, in order: what they count adds up to `elapsed`."""
    end = min(at, clock.stopped_at) if clock.stopped_at else at
    lines = [
        Line("pause", *pause.span(end), timedelta(), pause.reason, pause) for pause in pauses if pause.began_at < end
    ]
    hours = clock.working
    for start, stop in running(clock, pauses, until=end):
        if hours is None:
            lines.append(Line("day", start, stop, stop - start, ""))
            continue
        for day in hours.between(start, stop):
            lines += _lines(day, start, stop, ZoneInfo(hours.zone))
    return sorted(lines, key=lambda line: (line.start, line.kind))


def _lines(day: Counted, start: datetime, stop: datetime, zone: ZoneInfo) -> list[Line]:
    lines = [Line("day", begin, end, end - begin, "") for begin, end in day.spans]
    if day.holiday:
        begins = max(datetime.combine(day.day, day.holiday.begins, tzinfo=zone), start)
        ends = min(datetime.combine(day.day + timedelta(days=1), MIDNIGHT, tzinfo=zone), stop)
        words = day.holiday.name + (" (?)" if day.holiday.provisional else "")
        if begins < ends:
            lines.append(Line("holiday", begins, ends, timedelta(), words))
    return lines


def _count(clock: Clock, start: datetime, end: datetime) -> timedelta:
    hours: WorkingHours | None = clock.working
    return hours.worked(start, end) if hours else max(end - start, timedelta())


def _after(clock: Clock, start: datetime, span: timedelta) -> datetime:
    hours: Any = clock.working
    return hours.after(start, span) if hours else start + span
