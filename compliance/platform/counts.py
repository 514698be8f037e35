"""Completeness: what the platform counted on a day against what is here, each difference by name.

The platform reports once a day, of each licensee, how many of a thing it had, and if it likes which. What we have is
counted by functions that packages register here, over the licensee's own day.

To count another thing: 1. write `count(licensee, starts, ends) -> list of operator's references`; 2. `register("name",
title, count)` in a module that your AppConfig.ready imports.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import ObjectRef, record
from compliance.people.models import Account, Licensee
from compliance.platform.models import DailyCount

References = Callable[[Licensee, datetime, datetime], Sequence[str]]
MOST_NAMED = 100  # references of each kind that one difference keeps
OLDEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Thing:
    """What is counted. `references` gives the operator's own numbers, so that a difference can be named."""

    name: str
    title: str | Promise
    references: References


_things: dict[str, Thing] = {}


def register(name: str, title: str | Promise, references: References) -> None:
    if name in _things:
        raise ValueError(f"{name} is counted twice")
    _things[name] = Thing(name, title, references)


def things() -> Mapping[str, Thing]:
    return dict(_things)


def bounds_of(licensee: Licensee, day: date) -> tuple[datetime, datetime]:
    """Start and end of the licensee's day, in UTC."""
    return licensee.day_starts(day).astimezone(UTC), licensee.day_starts(day + timedelta(days=1)).astimezone(UTC)


@transaction.atomic
def report(
    licensee: Licensee, day: date, counts: Mapping[str, int], references: Mapping[str, Sequence[str]], *, by: Acts
) -> list[DailyCount]:
    """Keep what the platform counted and compare at once. A second report of a day replaces the first, and is recorded.

    Raises ConditionsNotMet for a day that is not over, or what nobody counts here.
    """
    today = licensee.today()
    if not today - OLDEST <= day < today:
        raise ConditionsNotMet([str(_("day: a day that is over, of the last 400 days."))])
    if unknown := sorted({*counts, *references} - set(_things)):
        known = ", ".join(sorted(_things))
        words = _("counts: %(unknown)s is not counted here. Known: %(known)s.")
        raise ConditionsNotMet([str(words) % {"unknown": ", ".join(unknown), "known": known}])
    rows = []
    for name, theirs in sorted(counts.items()):
        facts = _compared(licensee, day, name, theirs, references.get(name))
        row, _created = DailyCount.objects.update_or_create(
            licensee=licensee, day=day, thing=name, defaults=facts | {"reported_at": timezone.now()}
        )
        rows.append(row)
    record("platform.report_counts", by=by, about=ObjectRef("licensee", str(licensee.pk)), details=_said(day, rows))
    return rows


@transaction.atomic
def reconcile(licensee: Licensee, day: date, *, by: Acts) -> list[DailyCount]:
    """Compare a day anew: accounts that arrived late are found, differences that were settled go. Recorded."""
    rows = list(DailyCount.objects.select_for_update().filter(licensee=licensee, day=day).order_by("thing"))
    for row in rows:
        for name, value in _compared(licensee, day, row.thing, row.theirs, row.references).items():
            setattr(row, name, value)
        row.save()
    record("platform.reconcile", by=by, about=ObjectRef("licensee", str(licensee.pk)), details=_said(day, rows))
    return rows


def missing_days(licensee: Licensee, *, days: int = 30) -> list[date]:
    """Of the last `days` days that are over, those for which the platform reported nothing."""
    today = licensee.today()
    first = max(today - timedelta(days=days), licensee.day_of(_since(licensee)))
    wanted = {first + timedelta(days=number) for number in range((today - first).days)}
    reported = DailyCount.objects.filter(licensee=licensee, day__gte=first).values_list("day", flat=True)
    return sorted(wanted - set(reported))


def _since(licensee: Licensee) -> datetime:
    """When the licensee's first account came: before, there was nothing to report."""
    first: datetime | None = (
        Account.objects.filter(licensee=licensee).order_by("created_at").values_list("created_at", flat=True).first()
    )
    return first or timezone.now()


def _compared(
    licensee: Licensee, day: date, name: str, theirs: int, references: Sequence[str] | None
) -> dict[str, Any]:
    ours = list(_things[name].references(licensee, *bounds_of(licensee, day)))
    facts: dict[str, Any] = {"theirs": theirs, "ours": len(ours), "references": None, "missing": [], "extra": []}
    if references is not None:
        facts["references"] = sorted(set(references))
        facts["missing"] = sorted(set(references) - set(ours))[:MOST_NAMED]
        facts["extra"] = sorted(set(ours) - set(references))[:MOST_NAMED]
    return facts


def _said(day: date, rows: Sequence[DailyCount]) -> dict[str, Any]:
    return {"day": day.isoformat(), "counted": len(rows), "differing": sum(row.differs for row in rows)}


def _accounts_opened(licensee: Licensee, starts: datetime, ends: datetime) -> list[str]:
    found = Account.objects.filter(licensee=licensee, created_at__gte=starts, created_at__lt=ends)
    return list(found.values_list("reference", flat=True))


def _accounts(licensee: Licensee, starts: datetime, ends: datetime) -> list[str]:
    found = Account.objects.filter(licensee=licensee, created_at__lt=ends)
    return list(found.values_list("reference", flat=True))


register("accounts_opened", gettext_lazy("Accounts opened"), _accounts_opened)
register("accounts", gettext_lazy("Accounts at the end of the day"), _accounts)
