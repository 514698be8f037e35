"""Questions about documents."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from audit.perform import StatefulQuerySet

if TYPE_CHECKING:
    from compliance.people.models import Customer
    from documents.models import Document  # noqa: F401

# A worker that took a document and did not finish within this time is taken for dead.
STALE_CLAIM = timedelta(minutes=2)
# The wake-up normally comes at once; after this long the sweep does it.
GRACE = timedelta(seconds=15)


class DocumentQuerySet(StatefulQuerySet["Document"]):
    def known(self, customer: "Customer", digest_index: bytes) -> "DocumentQuerySet":
        """The same file of the same customer, unless it was destroyed."""
        return self.filter(customer=customer, digest_index=digest_index).exclude(state="destroyed")

    def of_others(self, document: "Document") -> "DocumentQuerySet":
        """The same file from other customers of the same licensee."""
        same = self.filter(digest_index=document.digest_index, customer__licensee_id=document.customer.licensee_id)
        return same.exclude(customer_id=document.customer_id).exclude(state="destroyed")

    def free_to_inspect(self, *, now: datetime) -> "DocumentQuerySet":
        """Received documents that nobody inspects now."""
        return self.filter(Q(state="received") & (Q(claimed_at=None) | Q(claimed_at__lt=now - STALE_CLAIM)))

    def unreadable_with_file(self) -> "DocumentQuerySet":
        """Destroyed documents whose file was not removed yet."""
        return self.filter(state="destroyed", file_removed_at=None)

    def awaiting_inspection(self, *, now: datetime) -> "DocumentQuerySet":
        """Received documents that nobody inspects: not claimed for 15 s, or claimed by a worker that must be dead."""
        unclaimed = Q(claimed_at=None, received_at__lt=now - GRACE)
        return self.filter(Q(state="received") & (unclaimed | Q(claimed_at__lt=now - STALE_CLAIM)))
