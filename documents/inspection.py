"""Inspecting what was received. Safe to start twice; the outcome is a recorded move of the document."""

from typing import cast
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from audit.actors import system
from audit.perform import WrongState, perform
from compliance.keys.services import KeyUnavailable
from documents import processes
from documents.models import Document
from documents.processes import Findings, Verdict
from documents.services import Unreadable, opened, released

ATTEMPTS = 3


def inspect_now(document_id: UUID) -> Document | None:
    """Look at a received document in a limited process of its own and move it on. Safe to call twice, or at once.

    Returns None when there is nothing to do: somebody else has it, or it was inspected already.
    """
    document = _claimed(document_id)
    if document is None:
        return None
    if document.attempts > ATTEMPTS:
        return _moved(document, Findings(Verdict.UNSCANNABLE, "inspection_failed"))
    try:
        file, reader = opened(document, by=system(), whole=True)
        chunks = released(document, file, reader.read(0, document.size), by=system())
        return _moved(document, processes.inspect(document.media_type, chunks))
    except Unreadable:
        return _moved(document, Findings(Verdict.QUARANTINE, "integrity"))
    except KeyUnavailable:
        # Not the document's fault: it waits for the keys, and the try does not count.
        Document.objects.filter(pk=document_id).update(claimed_at=None, attempts=F("attempts") - 1)
        raise


def _claimed(document_id: UUID) -> Document | None:
    """The document, taken by this process alone; None when it needs no inspection or somebody else has it."""
    now = timezone.now()
    taken = Document.objects.free_to_inspect(now=now).filter(pk=document_id)
    if not taken.update(claimed_at=now, attempts=F("attempts") + 1):
        return None
    return Document.objects.select_related("customer").get(pk=document_id)


def _moved(document: Document, found: Findings) -> Document | None:
    transition = {
        Verdict.PASS: document.pass_inspection,
        Verdict.QUARANTINE: document.quarantine,
        Verdict.UNSCANNABLE: document.mark_unscannable,
    }[found.verdict]
    try:
        return cast(Document, perform(transition, by=system(), reason=found.reason or None, facts=found.facts))
    except WrongState:
        # A slower twin of this inspection, or somebody who destroyed the document, was first.
        return None
