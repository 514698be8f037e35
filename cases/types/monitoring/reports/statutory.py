"""What is due by law: reports, the authority's answer where consent was asked for, the moratorium after a refusal.

Counted by the calendar from dated data (`profiles`), never paused. Where nobody wrote a year's holidays the end of
what permits something is not known, and said so; a duty falls earlier (`due.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied
from audit.record import record, record_refusal
from cases.types.monitoring import reminders
from cases.types.monitoring.models import OVER, Investigation
from cases.types.monitoring.permissions import INVESTIGATE, may, may_decide
from cases.types.monitoring.reports.deadlines import last_day
from cases.types.monitoring.reports.due import earlier_due
from cases.types.monitoring.reports.models import ARRIVED, Consent, Report, State, Told
from cases.types.monitoring.reports.profiles import Counted, NoProfile, Version, profile_for, profiles
from cases.types.monitoring.services import root_of, whole
from compliance.people.models import Licensee, User
from compliance.policy.holidays import CalendarMissing

WAITS = (State.DRAFT, State.WITH_MLRO, State.APPROVED, State.SUBMITTING, State.UNCERTAIN, State.RETURNED)
WHAT: Final[dict[str, str | Promise]] = {
    "report": gettext_lazy("Report to be filed"),
    "consent": gettext_lazy("Answer of the authority to be awaited"),
    "moratorium": gettext_lazy("Moratorium: nothing is paid before"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """`at` is the end of the period, None where the law names no days (`law` says what it asks) or nobody knows."""

    what: str
    investigation: Investigation
    report: Report | None
    since: datetime
    at: datetime | None
    law: str = ""

    @property
    def title(self) -> str:
        return str(WHAT[self.what])

    @property
    def subject_id(self) -> UUID:
        return self.report.pk if self.report else self.investigation.pk


def listed(user: Any) -> list[Due]:
    """What is due in the investigations that this person may see: the urgent ones, then by date."""
    found = _of(Investigation.objects.visible_to(user))
    far = max((one.at for one in found if one.at), default=timezone.now())
    return sorted(found, key=lambda one: (not one.investigation.urgent, one.at or far, one.at is None))


def consent_until(report: Report) -> datetime | None:
    """Until when the authority can refuse."""
    version = profiles()[report.profile].at(report.profile_version)
    if report.kind not in version.consent_kinds or report.submitted_at is None:
        return None
    return _end(report.licensee, report.licensee.day_of(report.submitted_at), version.consent)


def moratorium_until(report: Report) -> datetime | None:
    """Until when nothing may be done after a refusal."""
    version = profiles()[report.profile].at(report.profile_version)
    if report.consent != Consent.REFUSED or report.consent_on is None:
        return None
    return _end(report.licensee, report.consent_on, version.moratorium)


def awaits_consent(report: Report) -> bool:
    return report.state in ARRIVED and report.kind in _version(report).consent_kinds and not report.consent


@transaction.atomic
def answered(report: Report, *, consent: str, on: date | None, by: User) -> Report:
    """What became of the question for consent. Written once: a mistake is followed up by another report."""
    fresh = Report.objects.select_for_update(of=("self",)).select_related("investigation", "licensee").get(pk=report.pk)
    if not may_decide(fresh.investigation, by):
        record_refusal("reports.consent", by=by, about=fresh, reason="no_right")
        raise Denied("no_right")
    if not awaits_consent(fresh):
        raise ConditionsNotMet([_("No answer about consent is awaited.")])
    first = fresh.licensee.day_of(fresh.submitted_at) if fresh.submitted_at else None
    if consent not in Consent.values or on is None or (first and on < first) or on > fresh.licensee.today():
        raise ConditionsNotMet([_("Choose what the authority said, and on which day since it was filed.")])
    fresh.consent, fresh.consent_on = consent, on
    fresh.version += 1
    fresh.save(update_fields=["consent", "consent_on", "version"])
    changes = {"consent": ("", consent), "consent_on": (None, on)}
    record("reports.consent", by=by, about=fresh, changes=changes)
    return fresh


def remind(*, now: datetime | None = None) -> int:
    """Tell the reporting officers and who is responsible, at three quarters of a period and at its end."""
    now, told = now or timezone.now(), 0
    for one in _of(Investigation.objects.all()):
        if (stage := _stage(one, now)) and one.at is not None:
            told += _tell(one, one.at, stage)
    return told


@transaction.atomic
def _tell(one: Due, at: datetime, stage: str) -> bool:
    _row, is_new = Told.objects.get_or_create(subject_id=one.subject_id, what=one.what, stage=stage, due_at=at)
    if is_new:
        record(
            "reports.due",
            by=system(),
            about=one.investigation,
            details={"what": one.what, "stage": stage, "due_at": at},
        )
        assignee = one.investigation.assignee
        able = [assignee] if assignee and may(assignee, INVESTIGATE, one.investigation.customer_id) else []
        reminders.remind([*reminders.reporting_officers(), *able])
    return is_new


def _stage(one: Due, now: datetime) -> str:
    if one.at is None:
        return ""
    if now >= one.at:
        return "late"
    return "soon" if now >= one.since + (one.at - one.since) * 0.75 else ""


def _of(seen: "QuerySet[Investigation]") -> list[Due]:
    reports = Report.objects.filter(investigation__in=seen).select_related(
        "investigation__assignee", "investigation__customer", "investigation__merged_into", "licensee"
    )
    rows = reports.defer("content_sealed", "document_sealed", "receipt_sealed")
    found = [_report(row) for row in rows.filter(state__in=WAITS)]
    for row in rows.filter(_can_ask_for_consent(), state__in=ARRIVED, consent__in=("", Consent.REFUSED)):
        found += _after_filing(row)
    return found + list(_without_report(seen))


def _can_ask_for_consent() -> Q:
    """Every other report is over once it is filed: those of all years are not read again."""
    asking = Q(pk__in=())
    for profile in profiles().values():
        kinds = {kind for version in profile.version for kind in version.consent_kinds}
        asking |= Q(profile=profile.id, kind__in=kinds)
    return asking


def _report(row: Report) -> Due:
    return Due("report", root_of(row.investigation), row, row.suspicion_at, row.due_at, _law(_version(row)))


def _after_filing(row: Report) -> list[Due]:
    if row.kind not in _version(row).consent_kinds or row.submitted_at is None:
        return []
    matter = root_of(row.investigation)
    if not row.consent:
        return [Due("consent", matter, row, row.submitted_at, consent_until(row), _unknown())]
    if row.consent != Consent.REFUSED or row.consent_on is None:
        return []
    until = moratorium_until(row)
    if until is not None and until <= timezone.now():
        return []
    return [Due("moratorium", matter, row, row.licensee.day_starts(row.consent_on), until, _unknown())]


def _without_report(seen: "QuerySet[Investigation]") -> Iterable[Due]:
    """Suspected, and nobody drafted anything yet: the period runs all the same."""
    its_own = Report.objects.filter(investigation=OuterRef("pk"))
    brought = Investigation.objects.filter(merged_into=OuterRef("pk"))
    rows = seen.exclude(state__in=OVER).filter(~Exists(its_own), suspicion_at__isnull=False)
    for row in rows.annotate(took_in=Exists(brought)).select_related("licensee", "customer", "assignee"):
        if row.suspicion_at is None:
            continue
        if row.took_in and Report.objects.filter(investigation__in=whole(row)).exists():
            continue
        try:
            version = profile_for(row.licensee.jurisdiction).on(row.licensee.today())
        except NoProfile:
            continue
        yield Due("report", row, None, row.suspicion_at, earlier_due(row, version), _law(version))


def _version(report: Report) -> Version:
    return profiles()[report.profile].at(report.profile_version)


def _law(version: Version) -> str:
    return version.urgent.text if version.urgent else ""


def _unknown() -> str:
    return _("The calendar of that year is missing")


def _end(licensee: Licensee, start: date, period: Counted | None) -> datetime | None:
    if period is None:
        return None
    try:
        return licensee.day_starts(last_day(start, period) + timedelta(days=1))
    except CalendarMissing:
        return None
