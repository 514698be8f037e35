"""Life of a flag: raised or added to in the batch that counts its transaction, closed by an investigation."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.record import record
from cases.patterns import words
from cases.patterns.closures import Compared, Compiled, filter_of
from cases.patterns.events import COLUMNS, Event
from cases.patterns.expressions import nodes, series_key, window_of, windows
from cases.patterns.features import FEATURES
from cases.patterns.state import State
from cases.types.monitoring.rules.book import Asked
from cases.types.monitoring.rules.models import Flag, FlagFacts, ShadowFlag, Snooze
from cases.types.monitoring.transactions.models import Transaction
from compliance.keys.services import seal
from compliance.people.models import Customer, Licensee, User

MOST_NAMED: Final = 500  # transactions that a flag names
LONGEST_SNOOZE: Final = timedelta(days=90)
NOTE: Final = "monitoring_rules.snooze_note"

Hears = Callable[[Sequence[Flag]], None]
_hearers: list[Hears] = []


def hear(function: Hears) -> None:
    """Have `function` called with the flags that are new, in the transaction that raises them."""
    _hearers.append(function)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that fired at a transaction, explained at that moment. `seen`: how many were counted by then."""

    rule: Asked
    event: Event
    compared: list[Compared]
    seen: int


def raise_flags(hits: Sequence[Hit], *, licensee: Licensee, at: datetime) -> list[Flag]:
    """Raise a flag for each hit, or add it to the one that is there. The customers' states are locked by the caller.

    Returns the live flags that are new or changed.
    """
    loud = _awake([hit for hit in hits if not hit.rule.shadow], at)
    _kept(ShadowFlag, [hit for hit in hits if hit.rule.shadow], licensee=licensee, at=at)
    flags, new = _kept(Flag, loud, licensee=licensee, at=at)
    if new:
        for function in _hearers:
            function([flag for flag in flags if flag.pk in new])
    return flags


def _kept(model: Any, hits: Sequence[Hit], *, licensee: Licensee, at: datetime) -> tuple[list[Any], set[UUID]]:
    """The flags of `model` that these hits raise or add to, written; and the ids of those that are new."""
    if not hits:
        return [], set()
    found = _newest(model, hits)
    new: set[UUID] = set()
    touched: dict[UUID, Any] = {}
    for hit in hits:
        key = (hit.event.customer_id, hit.rule.code)
        flag = found.get(key)
        if flag is None or not _belongs(flag, hit):
            flag = found[key] = _raised(model, hit, licensee=licensee, at=at)
            new.add(flag.pk)
        else:
            _add(flag, hit)
        touched[flag.pk] = flag
    for flag in touched.values():
        flag.save(force_insert=flag.pk in new)
        if flag.pk in new and model is Flag:
            details = {"rule": flag.code, "number": flag.rule.number, "trigger": str(flag.trigger)}
            record("monitoring_rules.flag", by=system(), about=flag, details={**details, "severity": flag.severity})
    return list(touched.values()), new


def _newest(model: Any, hits: Sequence[Hit]) -> dict[tuple[UUID, str], Any]:
    """The newest flag of each customer and rule: the one that a repeat may belong to."""
    customers, codes = {hit.event.customer_id for hit in hits}, {hit.rule.code for hit in hits}
    rows = model.objects.filter(customer_id__in=customers, code__in=codes).select_related("rule")
    newest = rows.order_by("customer_id", "code", "-flagged_at", "-trigger_at").distinct("customer_id", "code")
    return {(row.customer_id, row.code): row for row in newest}


def _raised(model: Any, hit: Hit, *, licensee: Licensee, at: datetime) -> Any:
    named, more = contributing(hit.rule, hit.event, zone=licensee.zone)
    facts: dict[str, Any] = {"severity": hit.rule.rule.severity} if model is Flag else {}
    compared = words.as_values(hit.compared)
    with override("en"):
        said = words.sentence(hit.rule.definition, compared, hit.event.currency)
    return model(
        licensee=licensee,
        customer_id=hit.event.customer_id,
        rule=hit.rule.rule,
        code=hit.rule.code,
        parameters=hit.rule.values,
        values={"compared": compared, "currency": hit.event.currency, "amount": hit.event.amount},
        sentence=said,
        transactions=named,
        more=more,
        trigger=hit.event.id,
        trigger_at=hit.event.at,
        trigger_kind=hit.event.kind,
        seen=hit.seen,
        last_hit=hit.event.id,
        last_hit_at=hit.event.at,
        quiet_until=hit.event.at + timedelta(hours=hit.rule.definition["cool_down_hours"]),
        flagged_at=at,
        **facts,
    )


def _belongs(flag: Any, hit: Hit) -> bool:
    """Repeats add to an open flag, and to a closed one or one of the shadow while its cool-down lasts."""
    is_open = isinstance(flag, Flag) and flag.closed_at is None
    return is_open or hit.event.at < flag.quiet_until


def _add(flag: FlagFacts, hit: Hit) -> None:
    flag.hits += 1
    if hit.event.at >= flag.last_hit_at:
        flag.last_hit, flag.last_hit_at = hit.event.id, hit.event.at
    if hit.event.id in flag.transactions:
        return
    if len(flag.transactions) < MOST_NAMED:
        flag.transactions = [*flag.transactions, hit.event.id]
    else:
        flag.more += 1


def _awake(hits: Sequence[Hit], at: datetime) -> list[Hit]:
    """Without those that somebody put to sleep, which are counted where they sleep."""
    customers = {hit.event.customer_id for hit in hits}
    rows = Snooze.objects.filter(customer_id__in=customers, ended_at=None, until__gt=at) if customers else ()
    asleep = {(row.customer_id, row.code): row.pk for row in rows}
    quiet = Counter(asleep.get((hit.event.customer_id, hit.rule.code)) for hit in hits)
    for pk, times in quiet.items():
        if pk is not None:
            Snooze.objects.filter(pk=pk).update(hits=F("hits") + times)
    return [hit for hit in hits if (hit.event.customer_id, hit.rule.code) not in asleep]


def contributing(rule: Compiled, event: Event, *, zone: ZoneInfo) -> tuple[list[UUID], int]:
    """The transactions that the rule counted or summed at this event: itself, then the newest first, at most
    MOST_NAMED; and how many others there are."""
    asked = [_Asked(node, rule) for node in windows(rule.definition)]
    if not asked:
        return [event.id], 0
    rows = Transaction.objects.filter(customer_id=event.customer_id, at__lte=event.at).order_by("at", "id")
    if not any(one.needs_history for one in asked):
        span = max(max(one.hours, one.days * 24) for one in rule.series)
        rows = rows.filter(at__gte=event.at - timedelta(hours=span + 25))  # a day more: days are the licensee's
    found, state = list[UUID](), State()
    for row in rows.values_list(*COLUMNS).iterator():
        other = Event(row, zone)
        state.meet(other)
        if other.order < event.order and any(one.has(other, event, state) for one in asked):
            found.append(other.id)
    newest = [event.id, *reversed(found)]
    return newest[:MOST_NAMED], max(0, len(newest) - MOST_NAMED)


class _Asked:
    """One count or sum of a rule, asked about single transactions."""

    def __init__(self, node: Mapping[str, Any], rule: Compiled) -> None:
        self.window, self.by_currency = window_of(node), "sum" in node
        key = series_key(node, rule.values)
        series = next(one for one in rule.series if one.key == key)
        self.belongs = filter_of(series)
        where = FEATURES[series.feature].where
        self.needs_history = any(one.get("attribute") == "instrument_new" for _place, one in nodes(where))

    def has(self, other: Event, event: Event, state: State) -> bool:
        now, then = (event.hour, other.hour) if self.window.unit == "h" else (event.day, other.day)
        if not now - self.window.first <= then <= now - self.window.last:
            return False
        return (not self.by_currency or other.currency == event.currency) and self.belongs(other, state)


@transaction.atomic
def close(flag: Flag, *, by: Acts, outcome: str) -> Flag:
    """An investigation came to its end. Closing twice changes nothing."""
    fresh: Flag = Flag.objects.select_for_update(of=("self",)).get(pk=flag.pk)
    if fresh.closed_at is None:
        fresh.closed_at, fresh.outcome = timezone.now(), outcome
        fresh.save(update_fields=["closed_at", "outcome"])
        record("monitoring_rules.close_flag", by=by, about=fresh, details={"rule": fresh.code, "outcome": outcome})
    return fresh


@transaction.atomic
def snooze(customer: Customer, code: str, *, by: User, until: datetime, reason: str, note: str) -> Snooze:
    """Let a rule say nothing about a customer until a moment, at most 90 days. Raises ValidationError by field."""
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise ValidationError({"until": _("Choose a moment within the next 90 days.")})
    if not note.strip():
        raise ValidationError({"note": _("Write why nothing has to be noticed meanwhile.")})
    end_snoozes(customer, code, by=by)
    row = Snooze(customer=customer, code=code, reason=reason, until=until, made_by=by)
    row.note_sealed = seal(row.audit_subject, NOTE, without_cards(note.strip()).encode(), aad=row.pk.bytes)
    row.save(force_insert=True)
    details = {"rule": code, "until": until}
    record("monitoring_rules.snooze", by=by, about=row, reason=reason, details=details)
    return row


@transaction.atomic
def end_snoozes(customer: Customer, code: str, *, by: Acts) -> int:
    """Wake the rule about the customer, if it sleeps."""
    rows = list(Snooze.objects.select_for_update().filter(customer=customer, code=code, ended_at=None))
    for row in rows:
        row.ended_at = timezone.now()
        row.save(update_fields=["ended_at"])
        record("monitoring_rules.wake", by=by, about=row, details={"rule": code, "hits": row.hits})
    return len(rows)
