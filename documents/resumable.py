"""Files that come in pieces, over connections that break: what arrived stays, and the sender goes on where it ended.

Each piece is sealed as it comes, in a file of its own, under a key of the upload; so no plaintext is on disk here
either. When the last byte is there, the pieces pass through the same sealing, watching and receiving as any other
upload, and their files go. A piece is at most 4 MiB: a web worker that is killed loses no more than that. Which
protocol carries the pieces is not known here.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from django.db import transaction
from django.http import UnreadablePostError
from django.utils import timezone

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from compliance.keys.services import open_sealed, seal, unwrap_document_key, wrap_document_key
from compliance.people.models import Customer
from documents import media
from documents.models import Document, PartialUpload, Piece
from documents.refusals import Refused
from documents.storage import storage
from documents.uploads import LARGEST, SealedUpload
from documents.vault import KEY, Header, RangeReader, Sealing

_log = logging.getLogger(__name__)

KEPT = timedelta(hours=24)  # after the last piece
PIECE = 4 * 1024 * 1024  # bytes of one sealed file
AT_ONCE = 10  # unfinished uploads of one person, or of one key for one player: a key sends for a whole platform
_READ = 1024 * 1024


class Stream(Protocol):
    def read(self, size: int) -> bytes: ...


class WrongOffset(Exception):
    """These bytes do not follow what is here. `offset` is where the upload stands."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the upload stands at {offset}")
        self.offset = offset


class WrongChecksum(Exception):
    """What arrived is not what was sent. Nothing of it was kept."""


class Over(Exception):
    """Its time is over."""


@transaction.atomic
def begin(
    *, customer: Customer, name: str, declared: str, size: int, matter: str, target: dict[str, str], by: Acts
) -> PartialUpload:
    """Room for a file of `size` bytes. Raises Refused before a byte was sent: name, size, or no room for it."""
    _check_room(customer, size, by)
    upload = PartialUpload(
        customer=customer,
        sender=str(by.audit_actor),
        matter=matter,
        target=target,
        declared=declared[:100],
        size=size,
        expires_at=timezone.now() + KEPT,
    )
    subject = customer.audit_subject
    name = media.clean_name(name)
    upload.key_wrapped, upload.key_version = wrap_document_key(subject, upload.pk, secrets.token_bytes(KEY))
    upload.name_sealed = seal(subject, "document_name", name.encode(), aad=upload.pk.bytes)
    upload.save(force_insert=True)
    record("documents.begin_upload", by=by, about=upload, matter=matter, details={"size": size})
    return upload


def _check_room(customer: Customer, size: int, by: Acts) -> None:
    if size <= 0:
        raise Refused("empty")
    if size > LARGEST:
        raise Refused("too_large")
    # Two at once: the second counts the first one's promise.
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    waiting = PartialUpload.objects.filter(result=None, refusal="", expires_at__gt=timezone.now())
    mine = waiting.filter(sender=str(by.audit_actor))
    if by.audit_actor.kind == "key":
        mine = mine.filter(customer=customer)
    if mine.count() >= AT_ONCE:
        raise Refused("too_many_uploads")
    promised = list(waiting.filter(customer=customer).values_list("size", flat=True))
    if not Document.objects.has_room(customer, size + sum(promised), files=1 + len(promised)):
        raise Refused("too_many_files")


def find(upload_id: UUID, *, matter: str, by: Acts) -> PartialUpload | None:
    """The sender's own upload for this matter; nobody else has one."""
    mine = PartialUpload.objects.filter(
        pk=upload_id, matter=matter, sender=str(by.audit_actor), key_wrapped__isnull=False
    )
    return mine.select_related("customer").first()


def append(
    upload: PartialUpload, stream: Stream, *, offset: int, length: int, checksum: tuple[str, bytes] | None = None
) -> PartialUpload:
    """Take up to `length` bytes that follow `offset`; return the upload as it stands then.

    A connection that breaks ends it early: what came is kept. With a `checksum` (algorithm of hashlib, digest) the
    bytes are kept together or not at all. Raises WrongOffset, WrongChecksum, Over, Refused.
    """
    if upload.expires_at <= timezone.now():
        raise Over
    if offset != upload.offset or upload.has_ended:
        raise WrongOffset(upload.offset)
    if offset + length > upload.size:
        raise Refused("too_large")
    digest = hashlib.new(checksum[0]) if checksum else None
    pieces: list[Piece] = []
    try:
        for piece in _sealed_pieces(upload, stream, offset, length, digest.update if digest else lambda data: None):
            pieces.append(piece)
            if digest is None:
                _keep(upload, pieces)
                pieces = []
        if digest is not None:
            assert checksum is not None
            if digest.digest() != checksum[1]:
                raise WrongChecksum
            _keep(upload, pieces)
            pieces = []
    except OSError as error:
        _log.error("A piece of an upload could not be stored: %s", error)
        raise Refused("busy") from None
    finally:
        for piece in pieces:
            storage().delete(piece.pk)
    return PartialUpload.objects.select_related("customer").get(pk=upload.pk)


def _sealed_pieces(
    upload: PartialUpload, stream: Stream, offset: int, length: int, seen: Callable[[bytes], None]
) -> Iterator[Piece]:
    """Each piece, durable in its file, that the stream's next `length` bytes make up; fewer when it breaks off."""
    key, start = _key(upload), offset
    while start < offset + length:
        piece = Piece(upload=upload, start=start, size=0)
        wanted = min(PIECE, offset + length - start)
        put = storage().begin(piece.pk)
        sealing = Sealing(key, _header(upload, piece), upload.customer.licensee_id, put.write)
        try:
            piece.size = _poured(upload, piece, stream, wanted, sealing, seen)
            if piece.size:
                sealing.finish()
                put.commit()
                yield piece
        finally:
            sealing.abandon()
            put.discard()
        if piece.size < wanted:
            return
        start += piece.size


def _poured(
    upload: PartialUpload,
    piece: Piece,
    stream: Stream,
    wanted: int,
    sealing: Sealing,
    seen: Callable[[bytes], None],
) -> int:
    """How many bytes came. The first ones tell the kind of the file, so a wrong one is refused at once."""
    got = 0
    while got < wanted:
        try:
            data = stream.read(min(_READ, wanted - got))
        except UnreadablePostError:
            data = b""
        if not data:
            break
        if piece.start == got == 0 and (len(data) >= media.HEAD or len(data) == upload.size):
            media.kind_of(data[: media.HEAD], name=_name(upload), declared=upload.declared)
        seen(data)
        sealing.update(data)
        got += len(data)
    return got


def _keep(upload: PartialUpload, pieces: list[Piece]) -> None:
    """From here on they are part of the upload, unless somebody else was quicker."""
    with transaction.atomic():
        row = PartialUpload.objects.select_for_update().get(pk=upload.pk)
        if row.expires_at <= timezone.now():  # its sender left, or its time went by, while the bytes came
            raise Over
        if row.has_ended or (pieces and row.offset != pieces[0].start):
            raise WrongOffset(row.offset)
        Piece.objects.bulk_create(pieces)
        row.offset += sum(piece.size for piece in pieces)
        row.expires_at = timezone.now() + KEPT
        row.save(update_fields=["offset", "expires_at"])


def complete(upload: PartialUpload, receive: Callable[[SealedUpload], UUID]) -> PartialUpload:
    """Hand the whole file to `receive`, which returns the id of what became of it. Safe to ask for twice.

    Raises Refused, now and whenever it is asked again. A matter that takes it no more (ConditionsNotMet) ends it, too:
    it holds no room any longer.
    """
    try:
        with transaction.atomic():
            row = PartialUpload.objects.select_for_update(of=("self",)).select_related("customer").get(pk=upload.pk)
            if row.refusal:
                raise Refused(row.refusal)
            if row.result is None:
                if row.offset != row.size:
                    raise WrongOffset(row.offset)
                row.result = receive(_whole(row))
                row.save(update_fields=["result"])
    except Refused as refused:
        if refused.text != "busy":
            PartialUpload.objects.filter(pk=upload.pk, result=None).update(refusal=refused.text)
            _remove_files(upload)
        raise
    except ConditionsNotMet:
        PartialUpload.objects.filter(pk=upload.pk, result=None).update(refusal="not_wanted")
        _remove_files(upload)
        raise
    _remove_files(row)
    return row


def _whole(upload: PartialUpload) -> SealedUpload:
    """The pieces as one upload."""
    whole = SealedUpload(upload.customer, name=_name(upload), declared=upload.declared)
    key = _key(upload)
    try:
        for piece in upload.pieces.order_by("start"):
            with closing(storage().open(piece.pk)) as file:
                header = _header(upload, piece)
                reader = RangeReader(file, key=key, header=header, licensee=upload.customer.licensee_id)
                for start in range(0, reader.size, _READ):
                    whole.feed(b"".join(reader.read(start, min(start + _READ, reader.size))))
        whole.complete()
    except BaseException:
        whole.close()
        raise
    return whole


def abandon(upload: PartialUpload, *, by: Acts) -> None:
    """The sender gives it up, or its time is over: its files and its row go."""
    _remove_files(upload)
    with transaction.atomic():
        if not upload.has_ended:
            details = {"size": upload.size, "offset": upload.offset}
            record("documents.abandon_upload", by=by, about=upload, matter=upload.matter, details=details)
        PartialUpload.objects.filter(pk=upload.pk).delete()


def sweep(limit: int = 100) -> int:
    """Remove what was not finished within its time, and the rows of what was; how many."""
    over = PartialUpload.objects.filter(expires_at__lte=timezone.now()).select_related("customer")
    found = list(over.order_by("expires_at")[:limit])
    for upload in found:
        abandon(upload, by=system())
    return len(found)


def named_files(ids: list[UUID]) -> set[UUID]:
    """Which of these files a row names: a document's, or a piece of an upload."""
    found: set[UUID] = set(Document.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return found | set(Piece.objects.filter(pk__in=ids).values_list("pk", flat=True))


def _remove_files(upload: PartialUpload) -> None:
    """First the files, then the rows that name them: killed between, the next sweep does it again."""
    for piece_id in list(upload.pieces.values_list("pk", flat=True)):
        storage().delete(piece_id)
    upload.pieces.all().delete()


def _key(upload: PartialUpload) -> bytes:
    return unwrap_document_key(upload.audit_subject, upload.pk, bytes(upload.key_wrapped or b""), upload.key_version)


def _name(upload: PartialUpload) -> str:
    sealed = bytes(upload.name_sealed or b"")
    return open_sealed(upload.audit_subject, "document_name", sealed, aad=upload.pk.bytes).decode()


def _header(upload: PartialUpload, piece: Piece) -> Header:
    return Header(piece.pk, upload.customer_id, upload.key_version)
