"""What was forgotten is found here: documents whose wake-up was lost, files without a row, files whose key is gone."""

import logging
import time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.record import ObjectRef, record
from compliance.keys.services import KeyUnavailable
from documents.inspection import inspect_now
from documents.models import Document
from documents.storage import storage

log = logging.getLogger(__name__)

AT_ONCE = 20
# Well below the task's own limit: a sweep that is killed would count as a try of a document that did nothing wrong.
LONGEST_SECONDS = 40
# An upload and the transaction around it are over long before.
ORPHAN_SECONDS = 24 * 3600
_BATCH = 500


def inspect_forgotten() -> int:
    """Inspect received documents that nobody took; return how many were moved."""
    waiting = Document.objects.awaiting_inspection(now=timezone.now()).order_by("received_at")
    moved, began = 0, time.monotonic()
    for document_id in list(waiting.values_list("pk", flat=True)[:AT_ONCE]):
        if time.monotonic() - began > LONGEST_SECONDS:
            break
        try:
            moved += inspect_now(document_id) is not None
        except KeyUnavailable as error:
            log.error("Documents wait for their inspection: %s", error)
            break
    return moved


def remove_unreadable() -> int:
    """Remove the files of destroyed documents: their key is gone already."""
    ids = list(Document.objects.unreadable_with_file().values_list("pk", flat=True)[:_BATCH])
    for document_id in ids:
        storage().delete(document_id)
    return Document.objects.filter(pk__in=ids).update(file_removed_at=timezone.now())


def remove_orphans(*, before: float | None = None) -> int:
    """Remove what a crash left behind: half files, and whole ones that no row names. Only what is older than a day."""
    before = time.time() - ORPHAN_SECONDS if before is None else before
    removed = 0
    for path in storage().abandoned(before=before):
        path.unlink(missing_ok=True)
        removed += 1
    batch: list[UUID] = []
    for document_id in storage().documents(before=before):
        batch.append(document_id)
        if len(batch) == _BATCH:
            removed += _remove_without_row(batch)
            batch = []
    return removed + _remove_without_row(batch)


def _remove_without_row(ids: list[UUID]) -> int:
    known = set(Document.objects.filter(pk__in=ids).values_list("pk", flat=True))
    orphans = [document_id for document_id in ids if document_id not in known]
    for document_id in orphans:
        with transaction.atomic():
            record("documents.remove_orphan", by=system(), about=ObjectRef("file", str(document_id)))
        storage().delete(document_id)
    return len(orphans)
