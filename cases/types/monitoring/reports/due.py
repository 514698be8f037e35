"""Until when a report is due, and how that follows a suspicion that turns out to be earlier."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from audit.actors import Acts
from audit.record import record
from cases.types.monitoring import services as investigations
from cases.types.monitoring.models import Investigation
from cases.types.monitoring.reports.deadlines import is_working, last_day
from cases.types.monitoring.reports.models import Report, State
from cases.types.monitoring.reports.profiles import Version, profiles
from compliance.policy.holidays import CalendarMissing

MOVES = (State.DRAFT, State.WITH_MLRO, State.RETURNED)  # with a due time that follows the suspicion


def due_at(
    investigation: Investigation, version: Version, works: Callable[[str, date], bool] = is_working
) -> datetime | None:
    """The end of the last day on which it can be filed; None where the law names no number of days."""
    if version.due is None or investigation.suspicion_at is None:
        return None
    licensee = investigation.licensee
    last = last_day(licensee.day_of(investigation.suspicion_at), version.due, works=works)
    return licensee.day_starts(last + timedelta(days=1))


def follow_suspicion(investigation: Investigation, by: Acts) -> None:
    """What is not fixed yet counts from the earliest suspicion, also of what was merged: its due time only falls."""
    root = investigations.root_of(investigation)
    if root.suspicion_at is None:
        return
    rows = Report.objects.select_for_update(of=("self",)).filter(investigation__in=investigations.whole(root))
    for report in rows.filter(state__in=MOVES, suspicion_at__gt=root.suspicion_at).select_related("licensee"):
        before = (report.suspicion_at, report.due_at)
        report.suspicion_at, due = (
            root.suspicion_at,
            earlier_due(root, profiles()[report.profile].at(report.profile_version)),
        )
        report.due_at = min((moment for moment in (due, report.due_at) if moment), default=None)
        report.save(update_fields=["suspicion_at", "due_at"])
        changes = {"suspicion_at": (before[0], report.suspicion_at), "due_at": (before[1], report.due_at)}
        record("reports.date", by=by, about=report, changes={k: v for k, v in changes.items() if v[0] != v[1]})


def earlier_due(investigation: Investigation, version: Version) -> datetime | None:
    """As `due_at`. Where nobody wrote that year's holidays every day counts: in doubt a duty falls earlier, and that
    somebody suspected is written down in any case.
    """
    try:
        return due_at(investigation, version)
    except CalendarMissing:
        return due_at(investigation, version, works=lambda country, day: True)


investigations.MOVED.append(follow_suspicion)
