"""Every file is compared with its digest once in thirty days, and rows and files with each other, both ways.

Where it stands is on the rows (`scrubbed_at`), so a run that was killed goes on where it was. What was found is an
entry of the log: one for each file that is not what it was, one for each run.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.actors import Acts, system
from audit.record import ObjectRef, record, record_refusal
from documents.models import Document
from documents.resumable import named_files
from documents.services import Unreadable, opened
from documents.storage import storage

CYCLE = timedelta(days=30)
_BATCH = 100
_YOUNG = 24 * 3600  # seconds: a file that is younger may wait for its row


@dataclass(slots=True)
class Scrub:
    """What one run found. `orphans` are files that no row names; `failed` counts missing and changed files."""

    checked: int = 0
    bytes: int = 0
    failed: int = 0
    orphans: int = 0
    left: int = 0


def scrub(
    *,
    by: Acts | None = None,
    everything: bool = False,
    seconds: float = float("inf"),
    on_file: Callable[[Scrub], None] = lambda found: None,
) -> Scrub:
    """Check the files whose turn it is, the longest unseen first, for at most `seconds`; `everything` asks for all.

    Safe to run twice at once: a file may then be checked twice. Nothing is recorded when there was nothing to do.
    """
    by = by or system()
    found, ends, began = Scrub(), time.monotonic() + seconds, timezone.now()
    due = Document.objects.to_scrub(before=began if everything else began - CYCLE)
    while time.monotonic() < ends:
        # A row that fails keeps its place in the order all the same: it was seen.
        batch = list(due.select_related("customer").order_by(F("scrubbed_at").asc(nulls_first=True))[:_BATCH])
        if not batch:
            break
        for document in batch:
            if time.monotonic() >= ends:
                break
            _check(document, found, by)
            on_file(found)
    if not found.checked:
        return found
    found.orphans, found.left = _orphans(), due.count()
    with transaction.atomic():
        record("documents.scrub", by=by, about=ObjectRef("vault", "files"), details=asdict(found))
    return found


def _check(document: Document, found: Scrub, by: Acts) -> None:
    """Compare the sealed file with its digest, and authenticate header, key and last chunk."""
    try:
        file, reader = opened(document, by=by, whole=True)
    except OSError as error:
        # A sector that cannot be read is what a scrub is for: the others are looked at all the same.
        details = {"at": str(error)}
        record_refusal("documents.fail_integrity", by=by, about=document, reason="io_error", details=details)
        found.failed += 1
    except Unreadable:
        # Destroyed since the batch was read: its file may be gone rightly.
        if not Document.objects.filter(pk=document.pk, state="destroyed").exists():
            found.failed += 1
    else:
        found.bytes += reader.size
        file.close()
    found.checked += 1
    Document.objects.filter(pk=document.pk).update(scrubbed_at=timezone.now())


def _orphans() -> int:
    """How many files no row names; the sweep sets them aside."""
    count, batch = 0, list[UUID]()
    for document_id in storage().documents(before=time.time() - _YOUNG):
        batch.append(document_id)
        if len(batch) == _BATCH:
            count += len(batch) - len(named_files(batch))
            batch = []
    return count + len(batch) - len(named_files(batch))
