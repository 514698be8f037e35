"""Inspecting what was received. Safe to start twice; the outcome is a recorded move of the document."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from audit.actors import system
from audit.perform import WrongState, perform
from compliance.keys.services import IndexPurpose, KeyUnavailable, blind_index, seal
from compliance.people.contacts import tail
from documents import malware, processes, reading
from documents.models import Document
from documents.processes import Findings, Verdict
from documents.services import Unreadable, opened, released, remove_file

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
            found = _examined(document, read)
        return _moved(document, found) if found.verdict != Verdict.PASS else _read(document, found)
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
    found = processes.inspect(document.media_type, read(), legible=reading.legible())
    return replace(found, facts=facts | found.facts)


def _read(document: Document, found: Findings) -> Document | None:
    """What passed is read: card data ends it, everything else becomes facts; what names a person is sealed."""
    said = reading.read(found, today=timezone.localdate())
    if said.card is not None:
        return _refused(document, said.card)
    sealed = number_tail = None
    if said.personal:
        plain = json.dumps(said.personal).encode()
        sealed = seal(document.audit_subject, "document_reading", plain, aad=document.pk.bytes)
        if number := said.personal.get("number"):
            number_tail = blind_index(IndexPurpose.NUMBER_TAIL, tail(number))
    facts = found.facts | said.facts
    return _moved(document, replace(found, facts=facts), reading=sealed, number_tail=number_tail)


def _refused(document: Document, card: str) -> Document | None:
    """Card data must not be kept: the file goes at once, the last four digits stay in the entry."""
    facts = {"card_data": {"value": card, "confidence": 90}}
    try:
        destroyed = cast(Document, perform(document.destroy, by=system(), reason="card_data", facts=facts))
    except WrongState:
        return None
    remove_file(destroyed)
    return destroyed


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


def _moved(document: Document, found: Findings, **more: Any) -> Document | None:
    transition = {
        Verdict.PASS: document.pass_inspection,
        Verdict.QUARANTINE: document.quarantine,
        Verdict.UNSCANNABLE: document.mark_unscannable,
    }[found.verdict]
    try:
        return cast(Document, perform(transition, by=system(), reason=found.reason or None, facts=found.facts, **more))
    except WrongState:
        # A slower twin of this inspection, or somebody who destroyed the document, was first.
        return None
