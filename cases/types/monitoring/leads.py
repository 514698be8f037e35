"""What an investigation can begin with. Each source registers how its leads are found, shown and closed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.types.monitoring.models import Lead
from cases.types.monitoring.permissions import INVESTIGATE
from cases.types.monitoring.rules.details import Detail, detail_of
from cases.types.monitoring.rules.flags import close
from cases.types.monitoring.rules.models import Flag
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import Customer
from compliance.people.suspicions import services as suspicions
from compliance.people.suspicions.models import SuspicionReport

MOST = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """One lead as people see it. `noticed_at` is when a person began to suspect (`is_human`) or a rule fired."""

    kind: str
    source_id: UUID
    customer: Customer | None
    title: str
    noticed_at: datetime
    is_human: bool


@dataclass(frozen=True, slots=True)
class Source:
    """`waiting(user)` are those that lead nowhere yet, newest first; `load(id)` one of them, or its DoesNotExist;
    `words(id)` what it says, `detail(id)` what it rests on, where that can be shown; `closed(ids, outcome, by=)` is
    told how the investigation ended. `reads` is the right to see those that lead nowhere yet.
    """

    title: str | Promise
    reads: str
    waiting: Callable[[Any], Iterable[Waiting]]
    load: Callable[[UUID], Waiting]
    words: Callable[[UUID], str]
    closed: Callable[..., None] = lambda ids, outcome, by: None
    detail: Callable[[UUID], Detail | None] = lambda pk: None


_sources: dict[str, Source] = {}


def register(kind: str, source: Source) -> None:
    if kind in _sources:
        raise ValueError(f"Leads of the kind {kind} are registered twice")
    _sources[kind] = source


def sources() -> Mapping[str, Source]:
    return dict(_sources)


def lookup(kind: str) -> Source:
    return _sources[kind]


def waiting(user: Any) -> list[Waiting]:
    """Every lead that leads nowhere yet and that this person may read, newest first."""
    found = [one for source in _sources.values() if user.has_perm(source.reads) for one in source.waiting(user)]
    return sorted(found, key=lambda one: one.noticed_at, reverse=True)


def attached(kind: str) -> Any:
    return Lead.objects.filter(kind=kind).values("source_id")


def digest_of(kind: str, source_id: UUID) -> str:
    """SHA-256 of what the lead says."""
    return sha256(lookup(kind).words(source_id).encode()).hexdigest()


# ------------------------------------------------------------------------------------------------- suspicion reports
def _suspicion(report: SuspicionReport) -> Waiting:
    """The suspicion began with the first moment of the day its writer named: in doubt a duty falls earlier."""
    customer = report.customer
    day = report.noticed_on
    at = customer.licensee.day_starts(day) if customer else datetime.combine(day, time(), report.filed_at.tzinfo)
    return Waiting("suspicion", report.pk, customer, report.receipt, at, True)


def _suspicions(user: Any) -> list[Waiting]:
    rows = SuspicionReport.objects.exclude(pk__in=attached("suspicion")).select_related("customer__licensee")
    strangers = rows.exclude(customer_id__in=declared_by(user).values("customer_id"))
    return [_suspicion(report) for report in strangers.order_by("-filed_at", "id")[:MOST]]


def _suspicion_words(report_id: UUID) -> str:
    about, text = suspicions.words_of(SuspicionReport.objects.get(pk=report_id))
    return f"{about}\n{text}".strip()


# -------------------------------------------------------------------------------------------------------------- flags
def _flag(flag: Flag) -> Waiting:
    return Waiting("flag", flag.pk, flag.customer, f"{flag.code} · {flag.rule.title}", flag.flagged_at, False)


def _flags(user: Any) -> list[Waiting]:
    rows = Flag.objects.open().exclude(pk__in=attached("flag")).select_related("customer__licensee", "rule")
    strangers = rows.exclude(customer_id__in=declared_by(user).values("customer_id"))
    return [_flag(flag) for flag in strangers.order_by("-flagged_at", "id")[:MOST]]


def _close_flags(ids: list[UUID], outcome: str, by: Any) -> None:
    """Of how the investigations of its flags ended a rule's share of false positives is counted."""
    for flag in Flag.objects.filter(pk__in=ids, closed_at=None).order_by("pk"):
        close(flag, by=by, outcome=outcome)


register(
    "flag",
    Source(
        title=_("Flag"),
        reads=INVESTIGATE,
        waiting=_flags,
        load=lambda pk: _flag(Flag.objects.select_related("customer__licensee", "rule").get(pk=pk)),
        words=lambda pk: Flag.objects.get(pk=pk).sentence,
        closed=_close_flags,
        detail=detail_of,
    ),
)
register(
    "suspicion",
    Source(
        title=_("Suspicion report"),
        reads=suspicions.READ_SUSPICIONS,
        waiting=_suspicions,
        load=lambda pk: _suspicion(SuspicionReport.objects.select_related("customer__licensee").get(pk=pk)),
        words=_suspicion_words,
    ),
)
