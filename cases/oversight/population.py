"""Populations: every case that was open on some day of a period, with state, outcome and level at its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from cases.models import Case
from cases.oversight.asof import case_then, taken_back

AT_ONCE = 500
HEAD = (
    "tracking number",
    "kind",
    "player",
    "licensee",
    "state then",
    "outcome then",
    "reason then",
    "level then",
    "policy",
    "opened at",
    "period ends",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for: days are UTC, both included; an empty text asks for all."""

    first: date
    last: date
    kind: str = ""
    state: str = ""
    outcome: str = ""
    level: str = ""

    @property
    def starts(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """One case of the population, as it was at the end of the period."""

    number: str
    kind: str
    customer: UUID
    reference: str
    licensee: str
    state: str
    outcome: str
    reason: str
    level: str
    policy: str
    opened_at: datetime


def population(asked: Asked, *, user: Any) -> Iterator[Member]:
    """Those whom the user may see, oldest first, a few hundred at a time whatever the number."""
    rows = Case.objects.visible_to(user).filter(opened_at__lt=asked.ends)
    rows = rows.filter(Q(closed_at=None) | Q(closed_at__gte=asked.starts))
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    rows = rows.select_related("account", "customer", "licensee").order_by("opened_at", "pk")
    last: Any = None
    while True:
        after = Q() if last is None else Q(opened_at__gt=last.opened_at) | Q(opened_at=last.opened_at, pk__gt=last.pk)
        batch = list(rows.filter(after)[:AT_ONCE])
        if not batch:
            return
        last = batch[-1]
        yield from (member for member in _members(batch, asked.ends) if _fits(member, asked))


def _members(batch: list[Case], ends: datetime) -> Iterator[Member]:
    ids = [str(pk) for case in batch for pk in (case.pk, case.customer_id)]
    then = taken_back(ids, ends)
    for case in batch:
        was = case_then(case, then)
        level = then.get(str(case.customer_id), {}).get("level", case.customer.level)
        yield Member(
            number=was.number,
            kind=was.kind,
            customer=case.customer_id,
            reference=case.account.reference,
            licensee=case.licensee.name,
            state=was.state,
            outcome=was.outcome,
            reason=was.reason,
            level=level,
            policy=was.policy,
            opened_at=was.opened_at,
        )


def _fits(member: Member, asked: Asked) -> bool:
    return all(
        wanted in ("", found)
        for wanted, found in (
            (asked.state, member.state),
            (asked.outcome, member.outcome),
            (asked.level, member.level),
        )
    )


def line(member: Member, asked: Asked) -> tuple[object, ...]:
    """The row of a file, as HEAD names it."""
    return (
        member.number,
        member.kind,
        member.reference,
        member.licensee,
        member.state,
        member.outcome,
        member.reason,
        member.level,
        member.policy,
        member.opened_at,
        asked.last,
    )
