"""Questions about rows that wait. All times are the database's, so that two machines with different clocks agree."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from compliance.outbox.models import OutboxRow  # noqa: F401 - named as text below


STALE_CLAIM = timedelta(minutes=2)  # longer than any delivery may run (tasks.py: time_limit)
WAKE_AGAIN = timedelta(seconds=30)  # a message that nobody took by then is taken for lost


class OutboxQuerySet(models.QuerySet["OutboxRow"]):
    def open(self) -> "OutboxQuerySet":
        return self.filter(done_at=None, failed_at=None)

    def parked(self) -> "OutboxQuerySet":
        """Given up: somebody must look."""
        return self.filter(failed_at__isnull=False)

    def deliverable(self) -> "OutboxQuerySet":
        """Due, and free or held by a worker that did not come back."""
        free = Q(claimed_at=None) | Q(claimed_at__lt=Now() - STALE_CLAIM)
        return self.open().filter(free, due_at__lte=Now())

    def forgotten(self) -> "OutboxQuerySet":
        """Deliverable, and nobody was woken for it since it became due."""
        return self.deliverable().filter(
            Q(woken_at=None) | Q(woken_at__lt=F("due_at")) | Q(woken_at__lt=Now() - WAKE_AGAIN)
        )
