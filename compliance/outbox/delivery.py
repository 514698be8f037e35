"""Life of a row: posted -> woken -> claimed -> done; or set back, and in the end parked for a human, who has it tried
again or drops it.

A handler runs in one transaction with the mark that it is done, so what it writes to the database happens exactly
once. What it does outside (a mail, a call) happens at least once: hand the row's id on, so that the other side knows
a repeat.
"""

import logging
import random
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from audit.actors import Acts, system
from audit.record import record
from compliance.outbox.kinds import handler_of
from compliance.outbox.models import OutboxRow
from compliance.outbox.queries import OutboxQuerySet
from compliance.outbox.services import wake

log = logging.getLogger(__name__)

# Standard Webhooks' example schedule: the first attempt at once, then these pauses.
BACK_OFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
LOST_LIMIT = 3  # a row whose handler kills its worker is parked, not tried for ever
KEEP_DONE = timedelta(days=14)
BATCH = 500


class ClaimLost(Exception):
    """Another worker took the row over; what this one did rolls back."""


def deliver(row_id: UUID) -> bool:
    """Deliver one row if it is due and free; whether it is done now. Harmless when repeated."""
    row = _claim(row_id)
    if row is None:
        return False
    try:
        with transaction.atomic():
            handler_of(row.kind)(row)
            _finish(row)
    except ClaimLost:
        log.warning("outbox row %s took too long and was taken over", row.pk)
        return False
    except Exception as error:
        _set_back(row, error)
        return False
    return True


def sweep(*, limit: int = BATCH) -> int:
    """Wake a worker for every row that was forgotten, and forget what was done long ago. The number of rows woken."""
    with transaction.atomic():
        forgotten = OutboxRow.objects.forgotten().select_for_update(skip_locked=True).order_by("due_at")
        ids = list(forgotten.values_list("pk", flat=True)[:limit])
        OutboxRow.objects.filter(pk__in=ids).update(woken_at=Now())
        for row_id in ids:
            wake("outbox.deliver", row_id=str(row_id))
    ended = Q(done_at__lt=Now() - KEEP_DONE) | Q(dropped_at__lt=Now() - KEEP_DONE)
    OutboxRow.objects.filter(pk__in=OutboxRow.objects.filter(ended).values("pk")[:limit]).delete()
    return len(ids)


def retry(row: OutboxRow, *, by: Acts) -> bool:
    """Give a parked row all its attempts again, from now; whether it was parked."""
    with transaction.atomic():
        parked = OutboxRow.objects.parked().filter(pk=row.pk)
        freed = parked.update(failed_at=None, attempts=0, lost=0, due_at=Now(), woken_at=Now())
        if freed:
            record("outbox.retry", by=by, about=row, details=_facts(row))
            wake("outbox.deliver", row_id=str(row.pk))
    return bool(freed)


def drop(row: OutboxRow, *, by: Acts, note: str) -> bool:
    """Never deliver a parked row; what waited behind it goes on. Whether it was parked. `note` says why, for the log.

    Nothing follows the act then: whoever drops a row sees to it in another way.
    """
    with transaction.atomic():
        dropped = OutboxRow.objects.parked().filter(pk=row.pk).update(dropped_at=Now())
        if dropped:
            record("outbox.drop", by=by, about=row, note=note, details=_facts(row))
            _wake_next(row)
    return bool(dropped)


def _claim(row_id: UUID) -> OutboxRow | None:
    """One worker gets the row, and none waits for another. A takeover counts as an attempt whose worker was lost."""
    with transaction.atomic():
        due = OutboxRow.objects.deliverable().filter(pk=row_id).select_for_update(skip_locked=True, of=("self",))
        found = due.first()
        if found is None:
            return None
        lost = found.lost + (found.claimed_at is not None)
        OutboxRow.objects.filter(pk=row_id).update(lost=lost, attempts=F("attempts") + 1, claimed_at=Now())
        row = OutboxRow.objects.get(pk=row_id)
    if row.lost >= LOST_LIMIT:
        _park(row, "WorkerLost")
        return None
    return row


def _mine(row: OutboxRow) -> OutboxQuerySet:
    return OutboxRow.objects.open().filter(pk=row.pk, claimed_at=row.claimed_at)


def _finish(row: OutboxRow) -> None:
    if not _mine(row).update(done_at=Now(), claimed_at=None):
        raise ClaimLost
    _wake_next(row)


def _wake_next(row: OutboxRow) -> None:
    """Whoever waited for this row does not wait for the sweep."""
    waiting = OutboxRow.objects.behind(row).order_by("position").first()
    if waiting is not None:
        wake("outbox.deliver", row_id=str(waiting.pk))


def _set_back(row: OutboxRow, error: Exception) -> None:
    name = type(error).__name__
    if row.attempts > len(BACK_OFF):
        _park(row, name)
        return
    # Spread a little, so that what failed together does not come back together.
    pause = BACK_OFF[row.attempts - 1] * random.uniform(0.9, 1.1)
    _mine(row).update(due_at=Now() + pause, claimed_at=None, last_error=name)
    log.warning("outbox row %s (%s) failed with %s, attempt %d", row.pk, row.kind, name, row.attempts)


def _park(row: OutboxRow, name: str) -> None:
    with transaction.atomic():
        if _mine(row).update(failed_at=Now(), claimed_at=None, last_error=name):
            row.last_error = name
            record("outbox.park", by=system(), about=row, details=_facts(row))
            log.error("outbox row %s (%s) was parked after %d attempts: %s", row.pk, row.kind, row.attempts, name)


def _facts(row: OutboxRow) -> dict[str, str | int]:
    return {"kind": row.kind, "attempts": row.attempts, "error": row.last_error}
