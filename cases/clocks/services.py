"""Acts on clocks: set a queue's hours, start, pause, resume, stop. What time itself brings is in sweeping.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.clocks import arithmetic
from cases.clocks.models import Clock, Kind, Pause, QueueHours
from cases.clocks.working import HoursBroken, WorkingHours
from cases.models import Case, Queue
from cases.snooze import player_answered
from compliance.policy.holidays import CalendarMissing

TARGETS = (Kind.FIRST_RESPONSE, Kind.NEXT_RESPONSE, Kind.RESOLUTION)
RESPONSES = (Kind.FIRST_RESPONSE, Kind.NEXT_RESPONSE)
WAITING = "waiting_for_player"


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
    return _started(made(case, kind, set_for, at=at), by=by)


def made(case: Case, kind: str, set_for: QueueHours, *, at: datetime | None = None) -> Clock:
    """A service clock by the hours of the case's queue, not yet saved."""
    target = timedelta(minutes=set_for.targets[kind])
    return _looked_at(Clock(case=case, kind=kind, started_at=at or timezone.now(), hours=set_for.hours, target=target))


@transaction.atomic
def start_statutory(case: Case, *, rule: str, target: timedelta, by: Acts, at: datetime | None = None) -> Clock:
    """A legal deadline: real time from `at`, named by the rule it comes from. Nothing pauses it.

    One that runs already goes on; where the duty turns out to be older, it counts from then.
    """
    running = Clock.objects.filter(case=case, kind=Kind.STATUTORY, rule=rule, stopped_at=None).first()
    clock = Clock(case=case, kind=Kind.STATUTORY, started_at=at or timezone.now(), target=target, rule=rule)
    if running is None:
        return _started(_looked_at(clock), by=by)
    if clock.started_at < running.started_at:
        running.started_at, running.target = clock.started_at, clock.target
        _looked_at(running).save(update_fields=["started_at", "target", "look_at"])
        record_start(running, by=by)
    return running


def _started(clock: Clock, *, by: Acts) -> Clock:
    clock.save(force_insert=True)
    record_start(clock, by=by)
    return clock


def record_start(clock: Clock, *, by: Acts) -> None:
    minutes = int(clock.target.total_seconds() // 60)
    record("clocks.start", by=by, about=clock, details={"clock": clock.kind, "minutes": minutes, "rule": clock.rule})


def _looked_at(clock: Clock) -> Clock:
    """With the moment at which the sweep looks next. A year without a calendar is the sweep's to complain of."""
    try:
        reading = arithmetic.reading(clock, [], at=clock.started_at)
        clock.look_at = arithmetic.next_look(clock, reading, now=clock.started_at)
    except (CalendarMissing, HoursBroken):
        clock.look_at = clock.started_at
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
    made = Pause.objects.create(clock=clock, reason=reason, began_at=began, began_by=str(by.audit_actor))
    clock.look_at = None
    clock.save(update_fields=["look_at"])
    record("clocks.pause", by=by, about=clock, reason=reason, details={"clock": clock.kind})
    return made


@transaction.atomic
def resume(clock: Clock, *, by: Acts, at: datetime | None = None) -> None:
    clock = Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
    open_one = clock.pauses.filter(ended_at=None).first()
    if open_one:
        open_one.ended_at = max(at or timezone.now(), open_one.began_at)
        open_one.save(update_fields=["ended_at"])
        clock.look_at = open_one.ended_at
        clock.save(update_fields=["look_at"])
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
        clock.look_at = None
        clock.save(update_fields=["stopped_at", "look_at"])
        record("clocks.stop", by=by, about=clock, details={"clock": clock.kind})


def player_wrote(case: Case, *, by: Acts, at: datetime) -> None:
    """The player contacted us: until somebody answers, a response is due. Several in a row count from the first."""
    player_answered(case)
    if not Clock.objects.filter(case=case, kind=Kind.FIRST_RESPONSE, stopped_at=None).exists():
        start(case, Kind.NEXT_RESPONSE, by=by, at=at)


def answered(case: Case, *, by: Acts, at: datetime) -> None:
    """A person answered the player. What the product sends by itself is no answer."""
    for clock in Clock.objects.filter(case=case, kind__in=RESPONSES, stopped_at=None):
        stop(clock, by=by, at=at)


def pauses_of(clock: Clock) -> Sequence[Pause]:
    return list(clock.pauses.order_by("began_at"))
