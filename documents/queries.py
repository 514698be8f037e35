"""Questions about documents."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Q, Sum

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

    def has_room(self, customer: "Customer", size: int, *, files: int = 1) -> bool:
        """Whether `size` more bytes, in `files` more files, stay within what is kept for a customer."""
        kept = self.filter(customer=customer).exclude(state="destroyed").aggregate(files=Count("pk"), bytes=Sum("size"))
        total = (kept["bytes"] or 0) + size
        return bool(kept["files"] + files <= settings.CUSTOMER_FILES and total <= settings.CUSTOMER_BYTES)

    def of_others(self, document: "Document") -> "DocumentQuerySet":
        """The same file from other customers of the same licensee."""
        same = self.filter(digest_index=document.digest_index, customer__licensee_id=document.customer.licensee_id)
        return same.exclude(customer_id=document.customer_id).exclude(state="destroyed")

    def free_to_inspect(self, *, now: datetime) -> "DocumentQuerySet":
        """Received documents that nobody inspects now."""
        return self.filter(Q(state="received") & (Q(claimed_at=None) | Q(claimed_at__lt=now - STALE_CLAIM)))

    def to_scrub(self, *, before: datetime) -> "DocumentQuerySet":
        """Documents whose file was not compared with its digest since `before`."""
        return self.exclude(state="destroyed").filter(Q(scrubbed_at=None) | Q(scrubbed_at__lt=before))

    def unreadable_with_file(self) -> "DocumentQuerySet":
        """Destroyed documents whose file was not removed yet."""
        return self.filter(state="destroyed", file_removed_at=None)

    def awaiting_inspection(self, *, now: datetime) -> "DocumentQuerySet":
        """Received documents that nobody inspects: not claimed for 15 s, or claimed by a worker that must be dead."""
        unclaimed = Q(claimed_at=None, received_at__lt=now - GRACE)
        return self.filter(Q(state="received") & (unclaimed | Q(claimed_at__lt=now - STALE_CLAIM)))
