"""Acts on clocks: set a queue's hours, start, pause, resume, stop; and the sweep that warns and notes a breach once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.clocks import arithmetic
from cases.clocks.models import Clock, Kind, Pause, QueueHours
from cases.clocks.working import WorkingHours
from cases.models import Case, Message, Queue
from cases.services import actor_text
from compliance.policy.holidays import CalendarMissing

log = logging.getLogger(__name__)
TARGETS = (Kind.FIRST_RESPONSE, Kind.NEXT_RESPONSE, Kind.RESOLUTION)
RESPONSES = (Kind.FIRST_RESPONSE, Kind.NEXT_RESPONSE)
WAITING = "waiting_for_player"
BATCH = 500


@transaction.atomic
def set_hours(queue: Queue, hours: WorkingHours, targets: Mapping[str, int], *, by: Acts) -> QueueHours:
    """When the queue works and how long things may take, in minutes of working time. Holds for what starts later."""
    if set(targets) - set(TARGETS) or not targets or any(minutes < 1 for minutes in targets.values()):
        raise ConditionsNotMet([_("Give at least one target in minutes: first_response, next_response, resolution.")])
    facts = {"hours": hours.as_data(), "targets": dict(targets), "set_at": timezone.now()}
    found, _made = QueueHours.objects.update_or_create(queue=queue, defaults=facts)
    record("clocks.set_hours", by=by, about=queue, details={"hours": facts["hours"], "targets": facts["targets"]})
    return found


@transaction.atomic
def start(case: Case, kind: str, *, by: Acts, at: datetime | None = None) -> Clock | None:
    """Start a service clock, or return the one that runs. None where the queue has no hours or no such target."""
    running = Clock.objects.filter(case=case, kind=kind, stopped_at=None).first()
    set_for = QueueHours.objects.filter(queue_id=case.queue_id).first()
    if running or set_for is None or kind not in set_for.targets:
        return running
    target = timedelta(minutes=set_for.targets[kind])
    return _started(case, kind, by=by, at=at, hours=set_for.hours, target=target)


@transaction.atomic
def start_statutory(case: Case, *, rule: str, target: timedelta, by: Acts, at: datetime | None = None) -> Clock:
    """A legal deadline: real time from `at`, named by the rule it comes from. Nothing pauses it."""
    running = Clock.objects.filter(case=case, kind=Kind.STATUTORY, rule=rule, stopped_at=None).first()
    return running or _started(case, Kind.STATUTORY, by=by, at=at, hours={}, target=target, rule=rule)


def _started(case: Case, kind: str, *, by: Acts, at: datetime | None, **facts: Any) -> Clock:
    clock = Clock.objects.create(case=case, kind=kind, started_at=at or timezone.now(), **facts)
    minutes = int(clock.target.total_seconds() // 60)
    record("clocks.start", by=by, about=clock, details={"clock": kind, "minutes": minutes, "rule": clock.rule})
    return clock


@transaction.atomic
def pause(clock: Clock, *, by: Acts, reason: str, at: datetime | None = None) -> Pause:
    """Stop counting for a reason (a code), until `resume`. ConditionsNotMet for a legal deadline."""
    clock = Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
    if clock.kind == Kind.STATUTORY:
        raise ConditionsNotMet([_("A legal deadline never pauses.")])
    if not reason or clock.stopped_at is not None:
        raise ConditionsNotMet([_("Say why it pauses. A clock that stopped does not.")])
    open_one = clock.pauses.filter(ended_at=None).first()
    if open_one:
        return open_one
    last = clock.pauses.order_by("-ended_at").values_list("ended_at", flat=True).first()
    began = max(at or timezone.now(), last or clock.started_at)
    made = Pause.objects.create(clock=clock, reason=reason, began_at=began, began_by=actor_text(by))
    record("clocks.pause", by=by, about=clock, reason=reason, details={"clock": clock.kind})
    return made


@transaction.atomic
def resume(clock: Clock, *, by: Acts, at: datetime | None = None) -> None:
    clock = Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
    open_one = clock.pauses.filter(ended_at=None).first()
    if open_one:
        open_one.ended_at = max(at or timezone.now(), open_one.began_at)
        open_one.save(update_fields=["ended_at"])
        record("clocks.resume", by=by, about=clock, details={"clock": clock.kind})


@transaction.atomic
def stop(clock: Clock, *, by: Acts, at: datetime | None = None) -> None:
    """What was promised happened. An open pause ends with it."""
    clock = Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
    if clock.stopped_at is None:
        clock.stopped_at = max(at or timezone.now(), clock.started_at)
        for open_one in clock.pauses.filter(ended_at=None):
            open_one.ended_at = max(clock.stopped_at, open_one.began_at)
            open_one.save(update_fields=["ended_at"])
        clock.save(update_fields=["stopped_at"])
        record("clocks.stop", by=by, about=clock, details={"clock": clock.kind})


def player_wrote(case: Case, *, by: Acts, at: datetime) -> None:
    """The player contacted us: until somebody answers, a response is due. Several in a row count from the first."""
    if not Clock.objects.filter(case=case, kind=Kind.FIRST_RESPONSE, stopped_at=None).exists():
        start(case, Kind.NEXT_RESPONSE, by=by, at=at)


def answered(case: Case, *, by: Acts, at: datetime) -> None:
    """A person answered the player. What the product sends by itself is no answer."""
    for clock in Clock.objects.filter(case=case, kind__in=RESPONSES, stopped_at=None):
        stop(clock, by=by, at=at)


# ---------------------------------------------------------------------------------------------------- the sweep
def sweep(*, now: datetime | None = None) -> dict[str, int]:
    """Bring the clocks of open cases in line with their cases, then warn at 75 % and note each breach, each once."""
    now, done = now or timezone.now(), {"started": 0, "warned": 0, "breached": 0}
    queues = QueueHours.objects.values("queue_id")
    missing = Case.objects.open().filter(queue__in=queues).exclude(clocks__kind=Kind.RESOLUTION).order_by("opened_at")
    for case in missing[:BATCH]:
        for kind in (Kind.RESOLUTION, Kind.FIRST_RESPONSE):
            done["started"] += start(case, kind, by=system(), at=case.opened_at) is not None
    for clock in Clock.objects.filter(stopped_at=None).select_related("case").order_by("started_at"):
        try:
            with transaction.atomic():
                _follow(clock, now=now)
                for what in _noted(clock, now=now):
                    done[what] += 1
        except CalendarMissing as error:  # the other clocks go on; the file that lacks a year is named
            log.error("clock %s: %s", clock.pk, error)
    return done


def _follow(clock: Clock, *, now: datetime) -> None:
    """The case is what is true: it ended, somebody answered, it waits for the player or no longer."""
    case = clock.case
    if case.closed_at is not None:
        stop(clock, by=system(), at=case.closed_at)
    elif clock.kind in RESPONSES and (reply := _reply(clock)):
        stop(clock, by=system(), at=reply)
    elif clock.kind == Kind.RESOLUTION and case.waiting_for:
        if not clock.pauses.filter(ended_at=None).exists():
            asked = Message.objects.filter(case=case, written_at__gte=clock.started_at).order_by("-written_at").first()
            pause(clock, by=system(), reason=WAITING, at=asked.written_at if asked else now)
    elif clock.kind == Kind.RESOLUTION and clock.pauses.filter(ended_at=None, reason=WAITING).exists():
        resume(clock, by=system(), at=now)


def _reply(clock: Clock) -> datetime | None:
    """When a person first wrote to the player since the clock started."""
    since = Message.objects.filter(case=clock.case, written_at__gt=clock.started_at, written_by__startswith="staff:")
    return since.order_by("written_at").values_list("written_at", flat=True).first()


def _noted(clock: Clock, *, now: datetime) -> list[str]:
    fresh = Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
    if fresh.stopped_at is not None:
        return []
    at, noted = arithmetic.reading(fresh, pauses_of(fresh), at=now), []
    if at.warn_at and now >= at.warn_at and fresh.warned_at is None:
        fresh.warned_at = now
        noted.append("warned")
    if at.due_at and now >= at.due_at and fresh.breached_at is None:
        fresh.breached_at = now
        noted.append("breached")
    if noted:
        fresh.save(update_fields=["warned_at", "breached_at"])
        for what in noted:
            action = {"warned": "clocks.warn", "breached": "clocks.breach"}[what]
            record(action, by=system(), about=fresh, details={"clock": fresh.kind})
    return noted


def pauses_of(clock: Clock) -> Sequence[Pause]:
    return list(clock.pauses.order_by("began_at"))
