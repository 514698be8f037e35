"""`post` what must not be lost; `wake` whoever may do it at once.

The broker is a hint, the database is the truth: a message may be lost or come twice, the row is found by the sweep.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models.functions import Now

from compliance.outbox.kinds import handler_of
from compliance.outbox.models import OutboxRow
from compliance.outbox.payload import Plain, ids_only

log = logging.getLogger(__name__)


class NotInTransaction(RuntimeError):
    """`post` belongs into the transaction of the act that it follows: open one with transaction.atomic()."""


def post(kind: str, *, payload: Mapping[str, Any], due_at: datetime | None = None, subject: str = "") -> OutboxRow:
    """Write down what must follow, in the caller's transaction. A worker delivers it after the commit, or at `due_at`.

    Rows that name the same `subject` (such as "case:<id>") are delivered one after the other in the order of their
    acts: an act that posts about a subject waits for whoever does so at the same time. A row that is set back, or
    parked, holds those after it; so a row with a subject is always due at once.

    Raises NotInTransaction, UnknownKind, and FreeText when the payload or subject holds more than ids and codes.
    """
    if subject and due_at is not None:
        raise ValueError("A row that is due later would hold what its subject has to be told before.")
    if not connection.in_atomic_block:
        raise NotInTransaction(NotInTransaction.__doc__)
    handler_of(kind)  # an unknown kind is the caller's mistake, not the worker's
    row = OutboxRow(kind=kind, subject=str(ids_only({"subject": subject})["subject"]), payload=ids_only(payload))
    if subject:
        _wait_for_our_turn(subject)
    if due_at is not None:
        row.due_at = due_at
    else:
        row.woken_at = Now()
    row.save(force_insert=True)
    if due_at is None:
        wake("outbox.deliver", row_id=str(row.pk))
    return row


def _wait_for_our_turn(subject: str) -> None:
    """Positions follow the commits: whoever posts about the same subject meanwhile waits until we have ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"outbox:{subject}"])


def wake(task_name: str, **ids: Any) -> None:
    """Start a task by name after the commit. Never raises: what must not be lost is a row that a sweep finds."""
    transaction.on_commit(partial(broker.send, task_name, ids_only(ids)), robust=True)


class _Broker:
    """After a failure nobody asks the broker for a moment: no request waits for what only makes things quicker."""

    QUIET = 5.0  # seconds

    def __init__(self) -> None:
        self.quiet_until = 0.0

    def send(self, task_name: str, ids: dict[str, Plain]) -> None:
        if time.monotonic() < self.quiet_until:
            return
        try:
            current_app.send_task(task_name, kwargs=ids, retry=False, ignore_result=True)
        except Exception as error:  # whatever the broker does, the act is committed
            self.quiet_until = time.monotonic() + self.QUIET
            log.warning("wake %s failed: %s. The sweep will find what waits.", task_name, type(error).__name__)


broker = _Broker()
