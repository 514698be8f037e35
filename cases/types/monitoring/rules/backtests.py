"""A rule tried on what has happened: which flags it would have raised, of whom, and what other parameters would do."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from cases.patterns import expressions
from cases.patterns.closures import Compiled
from cases.patterns.events import HOUR
from cases.types.monitoring.rules import columns
from cases.types.monitoring.rules.columns import Ints, Table
from cases.types.monitoring.rules.loading import slices, table_of
from cases.types.monitoring.rules.models import BackTest, Rule, State
from cases.types.monitoring.transactions.models import Transaction
from compliance.outbox.services import wake
from compliance.people.models import Licensee, User

TASK: Final = "monitoring.backtest"
SLICES: Final = 16
MOST_VARIANTS: Final = 60
STALE: Final = timedelta(minutes=2)
Say = Callable[[int, int], None]


@dataclass
class Findings:
    """What a rule would have found. `hits` are the transactions at which it fired, `flags` what is left of them after
    the cool-down; `both`, `only_now` and `only_live` compare customers with the live version; `right` counts customers
    with a label among those flagged, `labelled` all customers with one."""

    hits: int = 0
    flags: int = 0
    customers: int = 0
    by_day: dict[str, int] = field(default_factory=dict)
    both: int = 0
    only_now: int = 0
    only_live: int = 0
    right: int = 0
    labelled: int = 0
    rows: int = 0
    variants: list[dict[str, Any]] = field(default_factory=list)


class Cancelled(Exception):
    """Somebody stopped the back-test."""


def fires(definition: Mapping[str, Any], table: Table) -> Ints:
    """The places of a table at which a rule fires."""
    return columns.hits(Compiled(definition), table)


def flags_of(hits: Ints, table: Table, cool_down_hours: int) -> Ints:
    """Those hits that raise a flag: a customer's first, and each first one after the cool-down of the one before."""
    if not len(hits):
        return hits
    quiet, kept = cool_down_hours * HOUR, list[int]()
    customers, times = table.customer[hits].tolist(), table.time[hits].tolist()
    last, until = -1, 0
    for place, customer, time in zip(hits.tolist(), customers, times, strict=True):
        if customer != last or time >= until:
            kept.append(place)
            last, until = customer, time + quiet
    return np.array(kept, np.int64)


def variants_of(
    definition: Mapping[str, Any], grid: Mapping[str, list[int]]
) -> list[tuple[dict[str, int], dict[str, Any]]]:
    """Each combination of the values to try, with the rule set to it. Money is tried as a percentage of what it is.

    Raises ValidationError for a parameter that is none, or more than 60 combinations.
    """
    parameters = definition.get("parameters", {})
    unknown = [name for name in grid if name not in parameters or parameters[name]["type"] == "words"]
    if unknown:
        raise ValidationError({"grid": _("There is no number “%(name)s”.") % {"name": ", ".join(unknown)}})
    combinations = list(itertools.product(*grid.values())) if grid else []
    if len(combinations) > MOST_VARIANTS:
        raise ValidationError({"grid": _("At most %(most)s combinations.") % {"most": MOST_VARIANTS}})
    return [(named := dict(zip(grid, values, strict=True)), _set_to(definition, named)) for values in combinations]


def _set_to(definition: Mapping[str, Any], named: Mapping[str, int]) -> dict[str, Any]:
    parameters = dict(definition.get("parameters", {}))
    for name, value in named.items():
        given = parameters[name]["value"]
        new = {key: one * value // 100 for key, one in given.items()} if isinstance(given, dict) else value
        parameters[name] = {**parameters[name], "value": new}
    return {**definition, "parameters": parameters}


def find(
    definition: Mapping[str, Any],
    licensee: Licensee,
    *,
    from_on: date,
    to_on: date,
    live: Mapping[str, Any] | None = None,
    grid: Mapping[str, list[int]] | None = None,
    say: Say = lambda done, total: None,
) -> Findings:
    """Try a rule on the licensee's days from `from_on` to `to_on`, both included. History before counts as history.

    `say(done, total)` is called as parts are done, and may raise Cancelled.
    """
    start, end = licensee.day_starts(from_on), licensee.day_starts(to_on + timedelta(days=1))
    variants = variants_of(definition, grid or {})
    names = set().union(*(columns.raw_columns(one) for one in [definition, *([live] if live else [])]))
    found, tried = Findings(), [0] * len(variants)
    since = int(start.timestamp()) * 1_000_000
    labelled = _labelled(licensee, end)
    found.labelled = len(labelled)
    for number, (first, last) in enumerate(slices(SLICES)):
        say(number, SLICES)
        table, read = table_of(licensee, until=end, names=names, first=first, last=last)
        found.rows += len(table)
        if not len(table):
            continue
        flagged = _one_slice(found, definition, live, table, since)
        right = {UUID(bytes=bytes(read["customer"][place])) for place in flagged} & labelled
        found.right += len(right)
        for place, (_named, variant) in enumerate(variants):
            tried[place] += len(_flags_since(variant, table, since))
    found.variants = [{**named, "flags": count} for (named, _variant), count in zip(variants, tried, strict=True)]
    found.by_day = dict(sorted(found.by_day.items()))
    say(SLICES, SLICES)
    return found


def _one_slice(
    found: Findings, definition: Mapping[str, Any], live: Mapping[str, Any] | None, table: Table, since: int
) -> Ints:
    """Add what a part of the customers brings; the places of the flags."""
    hits = fires(definition, table)
    hits = hits[table.time[hits] >= since]
    flags = flags_of(hits, table, definition["cool_down_hours"])
    found.hits += len(hits)
    found.flags += len(flags)
    customers = set(table.customer[flags].tolist())
    found.customers += len(customers)
    for day, count in zip(*np.unique(table.day[flags], return_counts=True), strict=True):
        name = date.fromordinal(int(day)).isoformat()
        found.by_day[name] = found.by_day.get(name, 0) + int(count)
    if live is not None:
        others = set(table.customer[_flags_since(live, table, since)].tolist())
        found.both += len(customers & others)
        found.only_now += len(customers - others)
        found.only_live += len(others - customers)
    _customers, places = np.unique(table.customer[flags], return_index=True)
    return flags[places]


def _flags_since(definition: Mapping[str, Any], table: Table, since: int) -> Ints:
    hits = fires(definition, table)
    return flags_of(hits[table.time[hits] >= since], table, definition["cool_down_hours"])


def _labelled(licensee: Licensee, end: Any) -> set[UUID]:
    rows = Transaction.objects.filter(licensee=licensee, at__lt=end).exclude(label="")
    return set(rows.values_list("customer_id", flat=True).distinct())


# ------------------------------------------------------------------------------------------- asked for on a page
@transaction.atomic
def ask(
    rule: Rule, licensee: Licensee, *, from_on: date, to_on: date, grid: dict[str, list[int]], by: User
) -> BackTest:
    """Have a worker try the rule. Raises ValidationError with the field."""
    if not from_on <= to_on <= licensee.today() or (to_on - from_on).days > expressions.MOST_DAYS:
        raise ValidationError({"to_on": _("Choose at most 400 days that have begun.")})
    variants_of(rule.definition, grid)
    test = BackTest.objects.create(
        rule=rule, licensee=licensee, from_on=from_on, to_on=to_on, grid=grid, asked_by=by, beat_at=None
    )
    details = {"rule": rule.code, "number": rule.number, "from_on": from_on, "to_on": to_on}
    record("monitoring_rules.backtest", by=by, about=test, details=details)
    wake(TASK, backtest_id=str(test.pk))
    return test


@transaction.atomic
def cancel(test: BackTest, *, by: Acts) -> None:
    """Stop it at its next part. One that has ended stays as it is."""
    now = timezone.now()
    waiting = BackTest.objects.filter(pk=test.pk, finished_at=None, cancelled_at=None)
    if waiting.update(cancelled_at=now):
        record("monitoring_rules.cancel_backtest", by=by, about=test, details={"rule": test.rule.code})


def run(backtest_id: str) -> None:
    """Run it, unless somebody else does, or it has ended or was stopped."""
    now = timezone.now()
    free = Q(beat_at=None) | Q(beat_at__lt=now - STALE)
    mine = BackTest.objects.filter(free, pk=backtest_id, finished_at=None, cancelled_at=None)
    if not mine.update(beat_at=now):
        return
    test = BackTest.objects.select_related("rule", "licensee").get(pk=backtest_id)
    live = Rule.objects.filter(code=test.rule.code, state=State.LIVE).exclude(pk=test.rule_id).first()

    def say(done: int, total: int) -> None:
        rows = BackTest.objects.filter(pk=test.pk, cancelled_at=None)
        if not rows.update(progress=100 * done // total, beat_at=timezone.now()):
            raise Cancelled

    facts: dict[str, Any] = {"from_on": test.from_on, "to_on": test.to_on, "grid": test.grid, "say": say}
    try:
        found = find(test.rule.definition, test.licensee, live=live.definition if live else None, **facts)
    except Cancelled:
        return
    except Exception as error:
        BackTest.objects.filter(pk=test.pk).update(finished_at=timezone.now(), trouble=type(error).__name__)
        raise
    findings = {name: getattr(found, name) for name in Findings.__dataclass_fields__}
    BackTest.objects.filter(pk=test.pk).update(findings=findings, finished_at=timezone.now(), progress=100)


def sweep() -> None:
    """Wake those whose worker died, and those whose message was lost."""
    now = timezone.now()
    stale = Q(beat_at__lt=now - STALE) | Q(beat_at=None, asked_at__lt=now - timedelta(seconds=20))
    for pk in BackTest.objects.filter(stale, finished_at=None, cancelled_at=None).values_list("pk", flat=True):
        wake(TASK, backtest_id=str(pk))
