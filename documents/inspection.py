"""Inspecting what was received. Safe to start twice; the outcome is a recorded move of the document."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from audit.actors import system
from audit.perform import WrongState, perform
from compliance.keys.services import KeyUnavailable
from documents import malware, processes
from documents.models import Document
from documents.processes import Findings, Verdict
from documents.services import Unreadable, opened, released

ATTEMPTS = 3
Read = Callable[[], Iterator[bytes]]
_STOPS = {
    malware.Verdict.FOUND: (Verdict.QUARANTINE, "malware"),
    malware.Verdict.ENCRYPTED: (Verdict.UNSCANNABLE, "password_protected"),
    malware.Verdict.UNSCANNABLE: (Verdict.UNSCANNABLE, "scan_failed"),
}


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
        with _opened(document) as read:
            return _moved(document, _examined(document, read))
    except Unreadable:
        return _moved(document, Findings(Verdict.QUARANTINE, "integrity"))
    except _Again:
        Document.objects.filter(pk=document_id).update(claimed_at=None)
        return None
    except (KeyUnavailable, malware.Unreachable):
        # Not the document's fault: it waits for the keys or the scanner, and the try does not count.
        Document.objects.filter(pk=document_id).update(claimed_at=None, attempts=F("attempts") - 1)
        raise


class _Again(Exception):
    """The scanner fell silent, which a restart does too: the sweep tries again."""


@contextmanager
def _opened(document: Document) -> Iterator[Read]:
    """The original, to be read from its beginning as often as asked, after the whole file was checked."""
    file, reader = opened(document, by=system(), whole=True)
    with closing(file):
        yield lambda: released(document, reader.read(0, document.size), by=system())


def _examined(document: Document, read: Read) -> Findings:
    """First the scanner, then our own parsers: what is known to be malware meets none of them."""
    scanned = malware.scan(read())
    facts = _scan_facts(scanned)
    if scanned.verdict == malware.Verdict.UNSCANNABLE and not scanned.name and document.attempts < ATTEMPTS:
        raise _Again
    if scanned.verdict in _STOPS:
        return Findings(*_STOPS[scanned.verdict], facts)
    found = processes.inspect(document.media_type, read())
    return replace(found, facts=facts | found.facts)


def _scan_facts(scanned: malware.Scan) -> dict[str, Any]:
    said = {"malware": scanned.verdict.value, "malware_name": scanned.name, "malware_scanner": scanned.scanner}
    return {name: {"value": value, "confidence": 100} for name, value in said.items() if value}


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
