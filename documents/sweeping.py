"""What was forgotten is found here: documents whose wake-up was lost, files without a row, files whose key is gone."""

import logging
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.models import LOGS
from audit.queries import standing
from audit.record import ObjectRef, record
from compliance.keys.services import KeyUnavailable
from documents.inspection import inspect_now
from documents.malware import Unreachable
from documents.models import Document
from documents.resumable import named_files
from documents.storage import storage

_log = logging.getLogger(__name__)

AT_ONCE = 20
# Well below the task's own limit: a sweep that is killed would count as a try of a document that did nothing wrong.
LONGEST_SECONDS = 40
# An upload and the transaction around it are over long before.
ORPHAN_SECONDS = 24 * 3600
# Longer than anybody needs to see that a backup was restored, and which one.
ASIDE_SECONDS = 30 * 24 * 3600
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
        except (KeyUnavailable, Unreachable) as error:
            _log.error("Documents wait for their inspection: %s", error)
            break
    return moved


def remove_unreadable() -> int:
    """Remove the files of destroyed documents: their key is gone already."""
    ids = list(Document.objects.unreadable_with_file().values_list("pk", flat=True)[:_BATCH])
    for document_id in ids:
        storage().delete(document_id)
    return Document.objects.filter(pk__in=ids).update(file_removed_at=timezone.now())


def remove_orphans(*, before: float | None = None, aside_before: float | None = None) -> int:
    """Clear up what a crash left behind; return how many files were moved or removed.

    Half files go after a day. Whole ones that no row names are set aside after a day and go 30 days later; one whose
    row came back meanwhile returns to its place. Nothing is touched while the log's sequencer refuses to sign: then
    the database may be an older one than the files, and rows that are missing now may come back.
    """
    if any(standing(log).refusal for log in LOGS):
        _log.error("Files without a row are left alone: the log's sequencer refuses to sign.")
        return 0
    now = time.time()
    before = now - ORPHAN_SECONDS if before is None else before
    moved = _settle_aside(now - ASIDE_SECONDS if aside_before is None else aside_before)
    moved += storage().remove_abandoned(before=before)
    for batch in _batches(storage().documents(before=before)):
        known = named_files(batch)
        for document_id in batch:
            if document_id not in known:
                _note("documents.set_aside_orphan", document_id)
                storage().set_aside(document_id)
                moved += 1
    return moved


def _settle_aside(before: float) -> int:
    """Bring back what a row names again, remove what lies there since `before`."""
    expired, moved = set(storage().aside(before=before)), 0
    for batch in _batches(storage().aside(before=float("inf"))):
        wanted = set(Document.objects.filter(pk__in=batch, file_removed_at=None).values_list("pk", flat=True))
        for document_id in batch:
            if document_id in wanted:
                _note("documents.bring_back_file", document_id)
                storage().bring_back(document_id)
            elif document_id in expired:
                _note("documents.remove_orphan", document_id)
                storage().remove_aside(document_id)
            else:
                continue
            moved += 1
    return moved


def _batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _note(action: str, document_id: UUID) -> None:
    with transaction.atomic():
        record(action, by=system(), about=ObjectRef("file", str(document_id)))
