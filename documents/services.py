"""What is done with documents: receive, open, show, destroy. Whether the caller may see the matter is asked above."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.record import record, record_read, record_refusal
from compliance.keys.services import (
    IndexPurpose,
    NotOpened,
    Shredded,
    blind_index,
    open_sealed,
    seal,
    unwrap_document_key,
    wrap_document_key,
)
from compliance.outbox.services import wake
from compliance.people.models import Customer
from compliance.people.sameness.services import note as note_same
from compliance.people.services import note_risk
from documents import processes
from documents.models import Document, State
from documents.processes import CannotRender
from documents.refusals import NotReady, Refused
from documents.storage import Missing, StoredFile, storage
from documents.uploads import SealedUpload
from documents.vault import Header, RangeReader, Tampered

__all__ = ["RENDITION_HEADERS", "CannotRender", "NotReady", "Refused", "Rendition", "Unreadable", "kept_or_removed"]

# For every answer that carries a file or a picture of one: nothing in it may run, be guessed, framed or kept.
RENDITION_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Content-Disposition": "inline",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
_PIECE = 256 * 1024
_SAME_FILE_NOTED = 20  # players a passed-on file is noted of at once


class Unreadable(NotReady):
    """The file is missing, changed or cut, or its key is gone. Nothing of it was released; the log has an entry."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A picture of one page, made for one viewer."""

    data: bytes
    media_type: str
    view_id: str


# ------------------------------------------------------------------------------------------------- receiving
def receive(*, customer: Customer, upload: SealedUpload | None, by: Acts, matter: str | None = None) -> Document:
    """Keep a file that was sealed while it arrived: first the file, durable, then its row and its entry in one
    transaction.

    Raises Refused; then no row and no file is left.
    """
    if upload is None:
        raise Refused("no_file")
    if upload.customer.pk != customer.pk:
        raise ValueError("customer: the file was sealed for somebody else.")
    if upload.refusal is not None:
        raise upload.refusal
    assert upload.digests is not None
    digest = upload.digests.plaintext.hex()
    index = blind_index(IndexPurpose.FILE_DIGEST, digest)
    if Document.objects.known(customer, index).exists():
        upload.close()
        raise Refused("same_file")
    if not Document.objects.has_room(customer, upload.digests.size):
        upload.close()
        raise Refused("too_many_files")
    try:
        with transaction.atomic(), kept_or_removed(upload):
            upload.store()
            return _written(upload, digest, index, by=by, matter=matter)
    except IntegrityError as error:
        if "document_same_file" in str(error):
            raise Refused("same_file") from None
        raise


def kept_already(*, customer: Customer, upload: SealedUpload | None) -> Document | None:
    """The customer's own document with the same bytes, if the upload would be taken and the document can be used."""
    if upload is None or upload.refusal is not None or upload.digests is None or upload.customer.pk != customer.pk:
        return None
    index = blind_index(IndexPurpose.FILE_DIGEST, upload.digests.plaintext.hex())
    known: Document | None = Document.objects.known(customer, index).filter(state__in=["received", "ready"]).first()
    return known


@contextmanager
def kept_or_removed(upload: SealedUpload | None) -> Iterator[None]:
    """Remove the file that its body stored when the body raises, because the rows go too.

    To be used inside the transaction: once a commit was tried, only the sweep can tell whether the row is there. What
    was stored before the body is left alone.
    """
    stored_before = upload is None or upload.stored
    try:
        yield
    except BaseException:
        if upload is not None and upload.stored and not stored_before:
            storage().delete(upload.document_id)
        raise


def _written(upload: SealedUpload, digest: str, index: bytes, *, by: Acts, matter: str | None) -> Document:
    assert upload.digests is not None
    subject = upload.customer.audit_subject
    wrapped, key_version = wrap_document_key(subject, upload.document_id, upload.key)
    aad = upload.document_id.bytes
    document = Document.objects.create(
        id=upload.document_id,
        customer=upload.customer,
        media_type=upload.media_type,
        size=upload.digests.size,
        name_sealed=seal(subject, "document_name", without_cards(upload.name).encode(), aad=aad),
        digest_sealed=seal(subject, "document_digest", upload.digests.plaintext, aad=aad),
        digest_index=index,
        ciphertext_digest=upload.digests.ciphertext,
        dek_wrapped=wrapped,
        key_version=key_version,
    )
    record(
        "documents.receive",
        by=by,
        about=document,
        matter=matter,
        details={
            "media_type": document.media_type,
            "size": document.size,
            "ciphertext_digest": upload.digests.ciphertext.hex(),
            "key_version": key_version,
            "digest": digest,
            "name": upload.name,
        },
    )
    _note_same_file(document, matter=matter)
    wake("documents.inspect", document_id=str(document.pk))
    return document


def _note_same_file(document: Document, *, matter: str | None) -> None:
    """The same file from another player of the licensee is a fact about both: papers are lent, sold and copied.

    Players of other licensees are left out: one may be the same person, and what one licensee holds is not the
    other's to know.
    """
    others = Document.objects.of_others(document).select_related("customer")
    for other in others[:_SAME_FILE_NOTED]:
        for mine, theirs in ((document, other), (other, document)):
            details = {"document": str(mine.pk), "same_as": str(theirs.pk), "customer": str(theirs.customer_id)}
            about = matter if mine is document else None
            note_risk(mine.customer, code="same_file", source="documents", details=details, by=system(), matter=about)
        note_same(document.customer, other.customer, ["document"])


def digest_of(document: Document) -> str:
    """SHA-256 of the file as it was sent, in hex; empty once the document is destroyed."""
    if document.digest_sealed is None:
        return ""
    sealed = bytes(document.digest_sealed)
    return open_sealed(document.audit_subject, "document_digest", sealed, aad=document.pk.bytes).hex()


def name_of(document: Document) -> str:
    """The name it was sent under; empty once the document is destroyed."""
    if document.name_sealed is None:
        return ""
    return open_sealed(
        document.audit_subject, "document_name", bytes(document.name_sealed), aad=document.pk.bytes
    ).decode()


def reading_of(document: Document) -> dict[str, str]:
    """What the paper says of a person (machine-readable zone), empty when nothing was read. Showing it is a read of
    personal data, which the caller records.
    """
    if document.reading_sealed is None:
        return {}
    sealed = bytes(document.reading_sealed)
    said: dict[str, str] = json.loads(
        open_sealed(document.audit_subject, "document_reading", sealed, aad=document.pk.bytes)
    )
    return said


def remove_file(document: Document) -> None:
    """Remove a destroyed document's file now, not at the next sweep."""
    storage().delete(document.pk)
    Document.objects.filter(pk=document.pk).update(file_removed_at=timezone.now())


# --------------------------------------------------------------------------------------------------- opening
def open_document(document: Document, *, by: Acts, purpose: str, matter: str | None = None) -> Iterator[bytes]:
    """The original, a chunk at a time, after the whole file was compared with the digest taken at receipt.

    Raises NotReady or Unreadable before the first byte. The read is recorded.
    """
    return _opened(document, 0, None, by=by, purpose=purpose, matter=matter)[1]


def open_range(
    document: Document, start: int, stop: int, *, by: Acts, purpose: str, matter: str | None = None
) -> Iterator[bytes]:
    """The bytes `start` up to `stop` of the original. Raises ValueError outside of it, else as `open_document`."""
    if not 0 <= start <= stop <= document.size:
        raise ValueError(f"range: {start}-{stop} is not within 0-{document.size}.")
    return _opened(document, start, stop, by=by, purpose=purpose, matter=matter)[1]


def _opened(
    document: Document, start: int, stop: int | None, *, by: Acts, purpose: str, matter: str | None
) -> tuple[str, Iterator[bytes]]:
    """(view id, chunks). Each document is an entry of its own: the customer's others were not seen with it."""
    if document.state != State.READY:
        raise NotReady(f"the document is {document.state}")
    file, reader = opened(document, by=by, whole=stop is None)
    view_id = record_read(
        by=by,
        subject=document.audit_subject,
        purpose=purpose,
        about=document,
        matter=matter,
        mark=f"{purpose}:{document.pk}",
    )
    chunks = reader.read(start, document.size if stop is None else stop)
    return view_id, _then_closed(file, released(document, chunks, by=by))


def _then_closed(file: StoredFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    with closing(file):
        yield from chunks


def released(document: Document, chunks: Iterator[bytes], *, by: Acts) -> Iterator[bytes]:
    """The chunks; one that fails ends them with Unreadable."""
    with _integrity(document, by=by):
        yield from chunks


def opened(document: Document, *, by: Acts, whole: bool) -> tuple[StoredFile, RangeReader]:
    """The file, opened and checked; `whole` compares every byte of it with the digest taken at receipt."""
    with _integrity(document, by=by):
        key = unwrap_document_key(
            document.audit_subject, document.pk, bytes(document.dek_wrapped or b""), document.key_version
        )
        file = storage().open(document.pk)
        try:
            if whole and _ciphertext_digest(file) != bytes(document.ciphertext_digest):
                raise Tampered("the file differs from what was received")
            header = Header(document.pk, document.customer_id, document.key_version)
            reader = RangeReader(file, key=key, header=header, licensee=document.customer.licensee_id)
            if reader.size != document.size:
                raise Tampered("the file has another length than was received")
        except BaseException:
            file.close()
            raise
    return file, reader


@contextmanager
def _integrity(document: Document, *, by: Acts) -> Iterator[None]:
    """A file that is not what it was is an entry of its own, which survives whatever the request does next."""
    try:
        yield
    except (Tampered, Missing, NotOpened, Shredded) as error:
        code = type(error).__name__.lower()
        record_refusal("documents.fail_integrity", by=by, about=document, reason=code, details={"at": str(error)})
        raise Unreadable(str(error)) from error


def _ciphertext_digest(file: StoredFile) -> bytes:
    sha, at = hashlib.sha256(), 0
    while data := file.read_at(at, _PIECE):
        sha.update(data)
        at += len(data)
    return sha.digest()


# --------------------------------------------------------------------------------------------------- showing
def rendition(
    document: Document, *, by: Any, purpose: str, page: int = 1, matter: str | None = None, full: bool = False
) -> Rendition:
    """A picture of one page (from 1), drawn anew without metadata, with viewer, UTC time and view id in the picture
    itself; `full`: with twice the pixels, for who looks closer.

    Raises NotReady; of its kinds, Unreadable, and CannotRender when there is no such page or it takes too much. The
    read is recorded, with the view id: a picture that turns up elsewhere leads to its entry.
    """
    view_id, chunks = _opened(document, 0, None, by=by, purpose=purpose, matter=matter)
    mark = f"{_viewer(by)}  {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {view_id}"
    data = processes.render(document.media_type, chunks, page=page, mark=mark, full=full)
    return Rendition(data, "image/jpeg", view_id)


def _viewer(by: Any) -> str:
    """Who looks, in words: a member of staff by name and address, everybody else by kind and id."""
    named = [str(part) for part in (getattr(by, "name", ""), getattr(by, "email", "")) if part]
    return " ".join(named) or f"{by.audit_actor.kind} {by.audit_actor.id}"
