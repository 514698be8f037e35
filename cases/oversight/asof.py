"""A player's file as it was: today's rows, with what the log says happened since taken back, the newest first.

Each entry holds old and new of what changed, so the old values in reverse order lead to any moment. Restrictions need
no log: their rows say from when to when they held.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from audit.models import Entry
from cases.models import Case, Evidence
from compliance.people.models import Customer, Licensee, Restriction
from compliance.policy import PolicyMissing
from compliance.rulebook.queries import policy_of

AT_ONCE = 500  # objects whose entries one query fetches

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CaseThen:
    number: str
    kind: str
    state: str
    outcome: str
    reason: str
    policy: str
    opened_at: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class EvidenceThen:
    number: str
    purpose: str
    document_type: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RestrictionThen:
    stops: tuple[str, ...]
    cover_code: str
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class FileThen:
    """A customer's file at `moment`. `policy` is the version that applied to new matters, None before the first."""

    customer: Customer
    moment: datetime
    level: str
    risk: str
    policy: str | None
    cases: tuple[CaseThen, ...]
    evidence: tuple[EvidenceThen, ...]
    restrictions: tuple[RestrictionThen, ...]


def end_of(day: date, licensee: Licensee) -> datetime:
    """The first moment after the licensee's day."""
    return licensee.day_starts(day + timedelta(days=1))


def taken_back(ids: Iterable[str], moment: datetime) -> dict[str, Fields]:
    """By id: the values that changed fields had just before `moment`; a field that did not change since is absent."""
    then: dict[str, Fields] = {}
    wanted = sorted(set(ids))
    for first in range(0, len(wanted), AT_ONCE):
        entries = Entry.objects.filter(log="main", object_id__in=wanted[first : first + AT_ONCE], at__gte=moment)
        for entry in entries.filter(outcome="done").order_by("-id").iterator():
            values = then.setdefault(entry.object_id, {})
            values.update({name: old for name, (old, _new) in entry.facts.get("diff", {}).items()})
    return then


def file_of(customer: Customer, moment: datetime, *, user: Any) -> FileThen:
    """The file as it was at `moment`, as far as the user may see its cases."""
    customer = Customer.objects.select_related("licensee").get(pk=customer.pk)  # what is taken back starts from now
    cases = list(Case.objects.visible_to(user).filter(customer=customer, opened_at__lt=moment).order_by("opened_at"))
    evidence = list(
        Evidence.objects.filter(case__in=cases, created_at__lt=moment).select_related("case").order_by("created_at")
    )
    then = taken_back([str(row.pk) for row in (customer, *cases, *evidence)], moment)
    about = then.get(str(customer.pk), {})
    return FileThen(
        customer=customer,
        moment=moment,
        level=about.get("level", customer.level),
        risk=about.get("risk", customer.risk),
        policy=_policy(customer.licensee, moment),
        cases=tuple(case_then(case, then) for case in cases),
        evidence=tuple(_evidence_then(row, then) for row in evidence),
        restrictions=tuple(_restrictions(customer, moment)),
    )


def case_then(case: Case, then: dict[str, Fields]) -> CaseThen:
    old = then.get(str(case.pk), {})
    return CaseThen(
        number=case.number,
        kind=case.kind,
        state=old.get("state", case.state),
        outcome=old.get("outcome", case.outcome),
        reason=old.get("reason", case.reason),
        policy=case.policy_version,
        opened_at=case.opened_at,
        closed=old.get("closed_at", case.closed_at) is not None,
    )


def _evidence_then(row: Evidence, then: dict[str, Fields]) -> EvidenceThen:
    state = then.get(str(row.pk), {}).get("state", row.state)
    return EvidenceThen(row.case.number, row.purpose, row.document_type, state, row.created_at)


def _restrictions(customer: Customer, moment: datetime) -> Iterator[RestrictionThen]:
    reaches = Q(customer=customer) | Q(account__customer=customer) | Q(person=customer.person_id)
    held = Q(lifted_at=None) | Q(lifted_at__gt=moment)
    rows = (
        Restriction.objects.filter(reaches, held, starts_at__lte=moment)
        .exclude(until__lte=moment)
        .order_by("starts_at", "pk")
    )
    for row in rows:
        stops = tuple(effect for effect in Restriction.EFFECTS if getattr(row, f"stops_{effect}"))
        yield RestrictionThen(stops, row.cover_code, row.starts_at, row.until)


def _policy(licensee: Licensee, moment: datetime) -> str | None:
    day = licensee.day_of(moment - timedelta(microseconds=1))
    try:
        return policy_of(licensee, on=day).version
    except PolicyMissing:
        return None
