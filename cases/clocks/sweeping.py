"""The sweep over running clocks: bring them in line with their cases, warn at 75 %, note each breach, start what lacks.

The database finds what needs something; the rest is not touched. Work comes in batches, each a transaction with a fixed
number of queries (and an entry for each event). A batch locks its clocks and cases and skips what somebody else holds,
so it waits for nobody, and several sweeps may run at once. Whatever a sweep has no time for is the next one's.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from time import monotonic
from typing import Any, Final

from django.db import transaction
from django.db.models import DateTimeField, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from audit.actors import system
from audit.record import record
from cases.clocks import arithmetic, holding, services
from cases.clocks.models import Clock, Kind, Pause, QueueHours
from cases.clocks.working import HoursBroken
from cases.models import Case, Message
from cases.notices.services import Event, managers_by_queue, tell_each
from compliance.policy.holidays import CalendarMissing
from compliance.policy.staff import staff_rules

log = logging.getLogger(__name__)
BATCH: Final = 200
RUN_FOR: Final = timedelta(seconds=45)  # it is asked for every minute
AGAIN_AFTER: Final = timedelta(hours=1)  # a clock whose calendar lacks a year
Rows = QuerySet[Clock]
Key = Callable[[Clock], tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """`found` are the clocks that need it, `settle` does it to a batch and counts; `by` is the field of the keyset."""

    found: Callable[[datetime], Rows]
    settle: Callable[[Sequence[Clock], datetime], Counter[str]]
    by: str = "case_id"


def sweep(*, now: datetime | None = None, run_for: timedelta = RUN_FOR) -> dict[str, int]:
    """How many were started, warned, breached and stopped; `unfinished` is 1 when time ran out first."""
    now, until = now or timezone.now(), monotonic() + run_for.total_seconds()
    done: Counter[str] = Counter()
    # What ended must not be warned of, so it is stopped first; what starts is looked at by the next sweep.
    finished = [_walk(step, now, until, done) for step in STEPS]
    # Only where the queue has such a target, and never a second time: one that stopped did its duty.
    finished += [_start(kind, until, done) for kind in (Kind.RESOLUTION, Kind.FIRST_RESPONSE)]
    finished.append(_tell_of_long_pauses(now, until))
    if not all(finished):
        log.warning("clocks: not all were reached in %s, the next sweep goes on", run_for)
    counted = {name: done[name] for name in ("started", "warned", "breached", "stopped")}
    return counted | {"unfinished": int(not all(finished))}


def _walk(step: Step, now: datetime, until: float, done: Counter[str]) -> bool:
    """Batch by batch along the keyset; whether it came to the end."""
    after = None
    while monotonic() < until:
        with transaction.atomic():
            rows = step.found(now).filter(stopped_at=None).order_by(step.by, "pk")
            if after is not None:
                rows = rows.filter(Q(**{f"{step.by}__gt": after[0]}) | Q(**{step.by: after[0], "pk__gt": after[1]}))
            locked = rows.select_for_update(of=("self", "case"), skip_locked=True, no_key=True)
            held = list(locked.select_related("case__assignee")[:BATCH])
            # Kept before it is settled, which may move it.
            after = (getattr(held[-1], step.by), held[-1].pk) if held else None
            if batch := _still(held, step.found(now).filter(stopped_at=None)):
                done.update(step.settle(batch, now))
        if len(held) < BATCH:
            return True
    return False


def _still(held: Sequence[Clock], found: Rows) -> list[Clock]:
    """Those that need it now that they are locked: another sweep may have ended between the look and the lock."""
    pks = set(found.filter(pk__in=[clock.pk for clock in held]).values_list("pk", flat=True)) if held else set()
    return [clock for clock in held if clock.pk in pks]


def _start(kind: Kind, until: float, done: Counter[str]) -> bool:
    """Start this clock on open cases that never had one, the oldest first; whether none is left."""
    queues = QueueHours.objects.filter(targets__has_key=kind.value)
    missing = Case.objects.open().filter(queue__in=queues.values("queue_id")).exclude(clocks__kind=kind)
    while monotonic() < until:
        with transaction.atomic():
            locked = missing.order_by("opened_at", "pk").select_for_update(of=("self",), skip_locked=True, no_key=True)
            held = list(locked[:BATCH])
            # Asked again under the lock, for the same reason.
            started = set(Clock.objects.filter(kind=kind, case__in=held).values_list("case_id", flat=True))
            cases = [case for case in held if case.pk not in started]
            hours = queues.in_bulk({case.queue_id for case in cases})
            clocks = [services.made(case, kind, hours[case.queue_id], at=case.opened_at) for case in cases]
            for clock in Clock.objects.bulk_create(clocks):
                services.record_start(clock, by=system())
            done["started"] += len(clocks)
        if len(held) < BATCH:
            return True
    return False


# ------------------------------------------------------------------------------------------- in line with the case
def _of_ended_cases(now: datetime) -> Rows:
    return Clock.objects.filter(case__closed_at__isnull=False).annotate(end=F("case__closed_at"))


def _answered(now: datetime) -> Rows:
    """Responses that a person gave: the first letter since the clock started. What the product sends is no answer."""
    letters = Message.objects.filter(
        case=OuterRef("case"), written_at__gt=OuterRef("started_at"), written_by__startswith="staff:"
    )
    rows = Clock.objects.filter(Exists(letters), kind__in=services.RESPONSES, case__closed_at=None)
    return rows.annotate(end=Subquery(letters.order_by("written_at").values("written_at")[:1]))


def _stop(clocks: Sequence[Clock], now: datetime) -> Counter[str]:
    for clock in clocks:
        clock.stopped_at = max(clock.end, clock.started_at)  # type: ignore[attr-defined]  # annotated
        clock.look_at = None
    Clock.objects.bulk_update(clocks, ["stopped_at", "look_at"])
    stopped = Subquery(Clock.objects.filter(pk=OuterRef("clock_id")).values("stopped_at"))
    Pause.objects.filter(clock__in=clocks, ended_at=None).update(ended_at=Greatest(stopped, F("began_at")))
    for clock in clocks:
        record("clocks.stop", by=system(), about=clock, details={"clock": clock.kind})
    return Counter(stopped=len(clocks))


def _waiting_for_the_player(now: datetime) -> Rows:
    """Resolutions that should pause, with the letter that asked and the end of the last pause."""
    letters = Message.objects.filter(case=OuterRef("case"), written_at__gte=OuterRef("started_at"))
    ended = Pause.objects.filter(clock=OuterRef("pk")).order_by().values("clock").annotate(last=Max("ended_at"))
    paused = Pause.objects.filter(clock=OuterRef("pk"), ended_at=None)
    rows = Clock.objects.filter(~Exists(paused), kind=Kind.RESOLUTION, case__closed_at=None)
    asked = Subquery(letters.order_by("-written_at").values("written_at")[:1])
    since = Coalesce(asked, Value(now, output_field=DateTimeField()))
    return rows.exclude(case__waiting_for="").annotate(
        since=Greatest(since, Coalesce(Subquery(ended.values("last")), F("started_at")))
    )


def _pause(clocks: Sequence[Clock], now: datetime) -> Counter[str]:
    by = str(system().audit_actor)
    Pause.objects.bulk_create(
        Pause(clock=clock, reason=services.WAITING, began_at=clock.since, began_by=by)  # type: ignore[attr-defined]
        for clock in clocks
    )
    Clock.objects.filter(pk__in=[clock.pk for clock in clocks]).update(look_at=None)
    for clock in clocks:
        record("clocks.pause", by=system(), about=clock, reason=services.WAITING, details={"clock": clock.kind})
    return Counter()


def _wait_is_over(now: datetime) -> Rows:
    paused = Pause.objects.filter(clock=OuterRef("pk"), ended_at=None, reason=services.WAITING)
    return Clock.objects.filter(Exists(paused), kind=Kind.RESOLUTION, case__closed_at=None, case__waiting_for="")


def _resume(clocks: Sequence[Clock], now: datetime) -> Counter[str]:
    ended = Greatest(Value(now, output_field=DateTimeField()), F("began_at"))
    Pause.objects.filter(clock__in=clocks, ended_at=None).update(ended_at=ended)
    Clock.objects.filter(pk__in=[clock.pk for clock in clocks]).update(look_at=now)  # by the step after this one
    for clock in clocks:
        record("clocks.resume", by=system(), about=clock, details={"clock": clock.kind})
    return Counter()


# ---------------------------------------------------------------------------------------------- warnings, breaches
def _to_look_at(now: datetime) -> Rows:
    return Clock.objects.filter(look_at__lte=now)


def _look(clocks: Sequence[Clock], now: datetime) -> Counter[str]:
    """Warn, note a breach, and say when to look again."""
    rows = Pause.objects.filter(clock__in=clocks).order_by("clock_id", "began_at")
    pauses = {pk: list(found) for pk, found in groupby(rows, key=lambda pause: pause.clock_id)}
    noted: list[tuple[str, Clock]] = []
    for clock in clocks:
        try:
            noted += [(what, clock) for what in _noted(clock, pauses.get(clock.pk, []), now)]
        except (CalendarMissing, HoursBroken) as error:  # the others go on; the file that lacks a year is named
            log.error("clock %s: %s", clock.pk, error)
            clock.look_at = now + AGAIN_AFTER
    Clock.objects.bulk_update(clocks, ["warned_at", "breached_at", "look_at"])
    for what, clock in noted:
        action = {"warned": "clocks.warn", "breached": "clocks.breach"}[what]
        record(action, by=system(), about=clock, details={"clock": clock.kind})
    _alarm(noted)
    return Counter(what for what, _clock in noted)


def _noted(clock: Clock, pauses: Sequence[Pause], now: datetime) -> list[str]:
    at, noted = arithmetic.reading(clock, pauses, at=now), []
    if at.warn_at and now >= at.warn_at and clock.warned_at is None:
        clock.warned_at = now
        noted.append("warned")
    if at.due_at and now >= at.due_at and clock.breached_at is None:
        clock.breached_at = now
        noted.append("breached")
    clock.look_at = arithmetic.next_look(clock, at, now=now)
    return noted


def _alarm(noted: Sequence[tuple[str, Clock]]) -> None:
    """Whoever has the case hears of both, the team's managers of what ran out, and of all that nobody has."""
    managers = managers_by_queue({clock.case.queue_id for _what, clock in noted}) if noted else {}
    for kind, what in (("at_risk", "warned"), ("breached", "breached")):
        events = []
        for clock in (clock for each, clock in noted if each == what):
            has_it = clock.case.assignee if clock.case.assignee and clock.case.assignee.is_active else None
            leads = [] if has_it and what == "warned" else managers.get(clock.case.queue_id, [])
            events.append(Event(clock.case, [has_it, *leads] if has_it else leads, clock.pk))
        tell_each(kind, events)


def _tell_of_long_pauses(now: datetime, until: float) -> bool:
    """The leads, and who has the case, hear once of a pause by hand that lasts longer than the house's rules say.

    Where nobody is there to hear, nobody hears later either. Whether it came to the end.
    """
    longest = timedelta(hours=staff_rules(on=now.date()).clocks.longest_pause_hours)
    long = Pause.objects.filter(ended_at=None, told_at=None, reason__in=holding.REASONS, began_at__lte=now - longest)
    while monotonic() < until:
        with transaction.atomic():
            locked = long.order_by("began_at", "pk").select_for_update(
                of=("self", "clock__case"), skip_locked=True, no_key=True
            )
            pauses = list(locked.select_related("clock__case__assignee")[:BATCH])
            if pauses:
                _tell_of(pauses)
                Pause.objects.filter(pk__in=[pause.pk for pause in pauses]).update(told_at=now)
        if len(pauses) < BATCH:
            return True
    return False


def _tell_of(pauses: Sequence[Pause]) -> None:
    managers, told = managers_by_queue({pause.clock.case.queue_id for pause in pauses}), []
    for pause in pauses:
        case = pause.clock.case
        has_it = [case.assignee] if case.assignee and case.assignee.is_active else []
        told.append(Event(case, [*has_it, *managers.get(case.queue_id, [])], pause.pk))
    tell_each("paused_long", told)


STEPS: Final = (
    Step(_of_ended_cases, _stop),
    Step(_answered, _stop),
    Step(_waiting_for_the_player, _pause),
    Step(_wait_is_over, _resume),
    Step(_to_look_at, _look, by="look_at"),
)
