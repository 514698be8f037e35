"""Questions about rows that wait. All times are the database's, so that two machines with different clocks agree."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from compliance.outbox.models import OutboxRow  # noqa: F401 - named as text below


STALE_CLAIM = timedelta(minutes=2)  # longer than any delivery may run (tasks.py: time_limit)
WAKE_AGAIN = timedelta(seconds=30)  # a message that nobody took by then is taken for lost


class OutboxQuerySet(models.QuerySet["OutboxRow"]):
    def open(self) -> "OutboxQuerySet":
        return self.filter(done_at=None, failed_at=None)

    def begun(self) -> "OutboxQuerySet":
        """Open, and due or tried. What is planned for later is nobody's to see: its number would say when it was."""
        return self.open().exclude(attempts=0, due_at__gt=Now())

    def parked(self) -> "OutboxQuerySet":
        """Given up: somebody must look."""
        return self.filter(failed_at__isnull=False, dropped_at=None)

    def undelivered(self) -> "OutboxQuerySet":
        """Open or parked: whatever comes after it in its subject's order waits for it."""
        return self.filter(done_at=None, dropped_at=None)

    def in_turn(self) -> "OutboxQuerySet":
        """Those before which nothing of the same subject is left to deliver."""
        earlier = self.model._default_manager.filter(
            subject=OuterRef("subject"), position__lt=OuterRef("position"), done_at=None, dropped_at=None
        )
        return self.filter(Q(subject="") | ~Exists(earlier))

    def behind(self, row: "OutboxRow") -> "OutboxQuerySet":
        """What waits for this row; nothing for a row without a subject."""
        return self.open().filter(subject=row.subject, position__gt=row.position).exclude(subject="")

    def deliverable(self) -> "OutboxQuerySet":
        """Due, in turn, and free or held by a worker that did not come back."""
        free = Q(claimed_at=None) | Q(claimed_at__lt=Now() - STALE_CLAIM)
        return self.open().in_turn().filter(free, due_at__lte=Now())

    def forgotten(self) -> "OutboxQuerySet":
        """Deliverable, and nobody was woken for it since it became due."""
        return self.deliverable().filter(
            Q(woken_at=None) | Q(woken_at__lt=F("due_at")) | Q(woken_at__lt=Now() - WAKE_AGAIN)
        )
