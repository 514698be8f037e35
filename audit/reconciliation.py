"""Each night the log is held against itself, and the result is an entry: that nobody looked would be seen too."""

import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.actors import system
from audit.models import Entry
from audit.record import ObjectRef, record
from audit.verify import Report, verify

EXPECTED_WITHIN = timedelta(hours=36)  # one night may be missed, two not

_log = logging.getLogger(__name__)


class NotReconciled(Exception):
    """The last run found something, or there was none for too long; the text says which."""


def reconcile(log: str) -> Report:
    """Entries without leaf, leaves without entry, hashes made anew, columns against entries; recorded. Raises nothing
    for what it finds: it says so in the log and in its lines, and `/readyz` shows the alarm.
    """
    report = verify(log, folder=settings.LOG_KEY_DIR)
    details = {"findings": report.counts, "result": "ok" if report.ok else "failed", "size": report.entries}
    with transaction.atomic(durable=True):
        record("audit.reconcile", by=system(), about=ObjectRef("log", log), details=details, log=log)
    if not report.ok:
        _log.critical("The log does not agree with itself: %s", report.line)
    return report


def ensure_reconciled(log: str, now: datetime | None = None) -> None:
    """Raise NotReconciled unless a run of the last two nights found nothing. A log without entries owes none."""
    about = Entry.objects.filter(log=log, object_id=log, object_kind="log")
    run = about.filter(action="audit.reconcile").order_by("-id").first()
    since = run or Entry.objects.filter(log=log).order_by("id").first()
    if since is None:
        return
    if run and run.facts["data"]["result"] != "ok":
        raise NotReconciled(f"the log {log} does not agree with itself: run manage.py audit verify")
    if since.at + EXPECTED_WITHIN < (now or datetime.now(UTC)):
        raise NotReconciled(f"the log {log} was not reconciled since {since.at:%Y-%m-%d %H:%M} UTC")
