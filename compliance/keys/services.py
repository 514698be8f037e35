"""Seal and open what belongs to a subject. Mechanics only: who may read what is decided above.

    key of the provider (epoch) -> key of the subject (version) -> key of a document, or of a purpose

Each use asks the database for the subject's row, so a key destroyed in one process is gone in all of them at once; what
is cached is only the unwrapping, for five minutes.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.actors import Acts, SubjectRef, system
from audit.prepared import execute
from audit.record import ObjectRef, record
from compliance.keys import tombstones
from compliance.keys.locks import making_a_key
from compliance.keys.models import SubjectKey, Tombstone
from compliance.keys.providers import KEY_BYTES, KeyUnavailable, Wrapped, provider

__all__ = ["Erased", "IndexPurpose", "KeyUnavailable", "NotOpened", "Shredded"]

_ENVELOPE = 1  # version of the form: this byte, key version (4, big-endian), nonce (12), ciphertext with tag
_HEAD = 5
_NONCE = 12


class Shredded(Exception):
    """The key was destroyed, and with it all that it sealed. Nobody can read it again."""


class Erased(Shredded):
    """The subject was erased: nothing new is kept under it. A player who comes back is registered anew."""


class NotOpened(Exception):
    """What should be opened was changed, or belongs to another subject, purpose or place."""


class IndexPurpose(StrEnum):
    """What may be searched for by equality without being stored in the clear. One installation key each."""

    NATIONAL_ID = "national_id"
    NUMBER_TAIL = "number_tail"  # the last four characters of a paper's number: few values, so never shown or counted
    PHONE = "phone"
    EMAIL = "email"
    FILE_DIGEST = "file_digest"
    SUPPRESSION = "suppression"
    DEVICE = "device"
    PAYMENT_INSTRUMENT = "payment_instrument"  # the operator's own token of it, never a card number
    TRANSACTIONS = "transactions"  # devices, payment instruments and networks, within one licensee


class _Unwrapped:
    """Unwrapped keys of this process by subject and version: bounded, short-lived, and bound to the row they came from.

    The row's own wrapping is part of an entry: a row made again after a rollback never meets another row's key.
    """

    def __init__(self, *, size: int = 1024, seconds: float = 300) -> None:
        self._size, self._seconds = size, seconds
        self._lock = Lock()
        self._entries: OrderedDict[tuple[str, str, int], tuple[float, bytes, bytes]] = OrderedDict()

    def get(self, row: SubjectKey) -> bytes | None:
        with self._lock:
            entry = self._entries.get((row.kind, row.subject_id, row.version))
            if entry is None or entry[0] < time.monotonic() or entry[1] != _blob(row):
                return None
            return entry[2]

    def put(self, row: SubjectKey, key: bytes) -> None:
        now = time.monotonic()
        with self._lock:
            self._entries[(row.kind, row.subject_id, row.version)] = (now + self._seconds, _blob(row), key)
            self._entries.move_to_end((row.kind, row.subject_id, row.version))
            while len(self._entries) > self._size or next(iter(self._entries.values()))[0] < now:
                self._entries.popitem(last=False)

    def drop(self, row: SubjectKey) -> None:
        with self._lock:
            self._entries.pop((row.kind, row.subject_id, row.version), None)

    def __len__(self) -> int:
        return len(self._entries)


_unwrapped = _Unwrapped()


# ------------------------------------------------------------------------------------------- keys of subjects
def ensure_subject_key(subject: SubjectRef, *, using: str = "default", for_log: bool = False) -> SubjectKey:
    """The subject's present key, made and recorded if there is none. Two callers at once get the same one.

    After a shred this raises Erased. The log alone goes on (`for_log`): who looked at what is left of an erased player
    has a key of its own, made afterwards.
    """
    row = _find(subject, using)
    if row is not None and not for_log:
        _refuse_erased(row)
    if row is not None and row.wrapped is not None:
        return row
    with transaction.atomic(using=using):
        return _create(subject, version=row.version + 1 if row else 1, using=using, afterwards=row is not None)


def _refuse_erased(row: SubjectKey) -> None:
    if row.wrapped is None or row.afterwards:
        raise Erased(f"{row.kind} {row.subject_id}: {Erased.__doc__}")


def made_afterwards(*, kind: str = "customer") -> "QuerySet[SubjectKey]":
    """Living keys of subjects that were erased before, oldest first."""
    rows = SubjectKey.objects.filter(kind=kind, afterwards=True, retired_at=None)
    return rows.order_by("created_at", "pk")


def renew_subject_key(subject: SubjectRef, *, by: Acts, reason: str) -> SubjectKey:
    """A further version of the key, which seals from now on; what older ones sealed still opens. Recorded."""
    with transaction.atomic():
        newest = _locked_rows(subject)[-1:]
        for row in newest:
            _refuse_erased(row)
        row = _create(subject, version=newest[0].version + 1 if newest else 1, using="default")
        record("keys.renew", by=by, about=_reference(row), subject=subject, reason=reason, details=_facts(row))
    return row


@dataclass(frozen=True, slots=True)
class Shred:
    """What a shred destroyed: all versions up to `version`, wrapped under `epochs`. Version 0: there was no key."""

    keys: int
    version: int
    provider: str
    epochs: list[int]


def shred_subject(subject: SubjectRef, *, by: Acts, reason: str, action: str = "keys.shred", **details: Any) -> Shred:
    """Destroy every version of the subject's key, with one entry and a tombstone that outlives a restored backup.

    Whether that is lawful is decided above. `details` join the entry. Every other process finds the key gone at its
    next use, because each use reads the row.
    """
    with transaction.atomic():
        rows = _locked_rows(subject)
        live = [row for row in rows if row.retired_at is None]
        done = Shred(len(live), rows[-1].version if rows else 0, provider().name, sorted({row.epoch for row in live}))
        facts = {"kind": subject.kind, "keys": done.keys, "version": done.version, "provider": done.provider}
        about = ObjectRef("subjectkey", f"{subject.kind}:{subject.id}/{done.version}")
        # Before the key goes: an entry with an address seals it, and a key that is made for that would live on.
        record(
            action,
            by=by,
            about=about,
            subject=subject,
            reason=reason,
            details=facts | {"epochs": done.epochs} | details,
        )
        for row in live:
            _destroy(row)
        if rows:
            bury(subject, done.version, timezone.now())
    return done


def bury(subject: SubjectRef, version: int, at: datetime) -> None:
    """Remember the shred in the database, and in the file beside the keys once it is committed."""
    Tombstone.objects.get_or_create(
        kind=subject.kind, subject_id=subject.id, version=version, defaults={"shredded_at": at}
    )
    transaction.on_commit(tombstones.sync, robust=True)


def _locked_rows(subject: SubjectRef) -> list[SubjectKey]:
    rows = SubjectKey.objects.select_for_update().filter(kind=subject.kind, subject_id=subject.id)
    return list(rows.order_by("version"))


def _destroy(row: SubjectKey) -> None:
    _unwrapped.drop(row)
    row.wrapped, row.retired_at = None, timezone.now()
    row.save(update_fields=["wrapped", "retired_at"])


# --------------------------------------------------------------------------------------------- sealed values
def seal(subject: SubjectRef, purpose: str, plaintext: bytes, *, aad: bytes = b"", using: str = "default") -> bytes:
    """Seal under the subject's present key. It opens only with the same subject, purpose and `aad`. Raises Erased."""
    version, key = current_key(subject, using=using)
    head = bytes([_ENVELOPE]) + version.to_bytes(4, "big")
    nonce = secrets.token_bytes(_NONCE)
    return head + nonce + _purpose_key(key, purpose).encrypt(nonce, plaintext, _bound(subject, purpose, head, aad))


def open_sealed(subject: SubjectRef, purpose: str, sealed: bytes, *, aad: bytes = b"", using: str = "default") -> bytes:
    """The plaintext; Shredded when its key is gone, NotOpened when it was changed or belongs elsewhere."""
    sealed = bytes(sealed)
    if not sealed:
        raise Shredded(f"The {purpose} of {subject.kind} {subject.id} was erased.")
    head, nonce, body = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
    if len(body) < 16 or head[0] != _ENVELOPE:
        raise NotOpened("This is not a sealed value of version 1.")
    key = key_of_version(subject, int.from_bytes(head[1:], "big"), using=using)
    try:
        return _purpose_key(key, purpose).decrypt(nonce, body, _bound(subject, purpose, head, aad))
    except InvalidTag:
        raise NotOpened(f"The sealed {purpose} of {subject.kind} {subject.id} does not open.") from None


# ------------------------------------------------------------------------------------------ keys of documents
def wrap_document_key(subject: SubjectRef, document_id: UUID, dek: bytes) -> tuple[bytes, int]:
    """Wrap a document's key under the subject's present key; return the wrapping and that key's version.

    Holds the subject's row until the caller's transaction ends, so that no shred or rotation slips between.
    Raises Erased.
    """
    if len(dek) != KEY_BYTES:
        raise ValueError(f"dek: {KEY_BYTES} bytes are needed, not {len(dek)}.")
    ensure_subject_key(subject)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM keys_subjectkey WHERE kind = %s AND subject_id = %s FOR SHARE", [subject.kind, subject.id]
        )
    version, key = current_key(subject)
    nonce = secrets.token_bytes(_NONCE)
    aad = _document_aad(document_id, subject, version)
    return nonce + _purpose_key(key, "document").encrypt(nonce, dek, aad), version


def unwrap_document_key(subject: SubjectRef, document_id: UUID, wrapped: bytes, key_version: int) -> bytes:
    """The document's key; Shredded when the subject's key is gone, NotOpened when the wrapping is another's or old."""
    wrapped = bytes(wrapped)
    key = key_of_version(subject, key_version)
    try:
        return _purpose_key(key, "document").decrypt(
            wrapped[:_NONCE], wrapped[_NONCE:], _document_aad(document_id, subject, key_version)
        )
    except (InvalidTag, ValueError):
        raise NotOpened(f"The key of document {document_id} does not open.") from None


# ---------------------------------------------------------------------------------------------- blind indexes
def blind_index(purpose: IndexPurpose, value: str) -> bytes:
    """32 bytes by which equal values are found. Nothing is normalised here: callers bring one spelling."""
    return hmac.digest(provider().derive(f"index|{IndexPurpose(purpose)}"), value.encode(), hashlib.sha256)


def writer_key() -> bytes:
    """The key of the log's writer, which never is in the database."""
    return provider().derive("log-writer")


# ------------------------------------------------------------------------------------------------------ state
def health() -> list[str]:
    """What is wrong with the keys, each with its fix; empty when the provider works and opens this database's keys."""
    if problems := provider().health():
        return problems
    row = SubjectKey.objects.filter(wrapped__isnull=False).order_by("-pk").first()
    if row is not None:
        try:
            provider().unwrap(Wrapped(row.epoch, _blob(row)), aad=row.aad)
        except KeyUnavailable as error:
            return [str(error)]
    return []


def current_key(subject: SubjectRef, *, using: str = "default", for_log: bool = False) -> tuple[int, bytes]:
    """Version and bytes of the key that seals for this subject now. Raises Erased, but for the log."""
    row = ensure_subject_key(subject, using=using, for_log=for_log)
    return row.version, _unwrap(row)


def key_of_version(subject: SubjectRef, version: int, *, using: str = "default") -> bytes:
    """The bytes of one version, its row read each time; Shredded when destroyed, KeyUnavailable when it never was."""
    row = _find(subject, using, version=version)
    if row is None:
        raise KeyUnavailable(
            f"There is no version {version} of the key of {subject.kind} {subject.id} in this database."
        )
    return _unwrap(row)


def _unwrap(row: SubjectKey) -> bytes:
    if row.wrapped is None:
        _unwrapped.drop(row)
        raise Shredded(f"The key of {row.kind} {row.subject_id}, version {row.version}, was destroyed.")
    key = _unwrapped.get(row)
    if key is None:
        if row.provider != provider().name:
            raise KeyUnavailable(
                f"This key is wrapped by the provider {row.provider!r}, and KEY_PROVIDER is another one."
            )
        key = provider().unwrap(Wrapped(row.epoch, _blob(row)), aad=row.aad)
        _unwrapped.put(row, key)
    return key


_FIELDS = [field.attname for field in SubjectKey._meta.concrete_fields]
_NEWEST = f"""
SELECT {", ".join(_FIELDS)} FROM keys_subjectkey WHERE kind = %s AND subject_id = %s AND version = coalesce(%s, version)
ORDER BY version DESC LIMIT 1
"""


def _find(subject: SubjectRef, using: str, **version: int) -> SubjectKey | None:
    """The newest row, or that of `version`, as the connection `using` sees it.

    A request writes its refusals on a second connection: each of the two also looks for what only the other sees
    yet, so that they never wait for each other.
    """
    for alias in (using, "log" if using == "default" else "default"):
        # SQL by hand: every entry of the log asks this, and building the same query again would cost it half its time.
        if rows := execute(connections[alias], _NEWEST, (subject.kind, subject.id, version.get("version"))):
            return SubjectKey.from_db(alias, _FIELDS, rows[0])
    return None


def _create(subject: SubjectRef, *, version: int, using: str, afterwards: bool = False) -> SubjectKey:
    making_a_key(using=using)
    row = SubjectKey(kind=subject.kind, subject_id=subject.id, version=version, provider=provider().name)
    row.afterwards = afterwards
    wrapped = provider().wrap(secrets.token_bytes(KEY_BYTES), aad=row.aad)
    row.epoch, row.wrapped = wrapped.epoch, wrapped.blob
    # Whoever comes second waits here for the first one's commit and then reads that one's row.
    SubjectKey.objects.using(using).bulk_create([row], ignore_conflicts=True)
    stored = SubjectKey.objects.using(using).get(kind=subject.kind, subject_id=subject.id, version=version)
    if _blob(stored) == wrapped.blob:
        about = _reference(stored)
        record("keys.create", by=system(), about=about, subject=subject, details=_facts(stored), using=using)
    return stored


def _reference(row: SubjectKey) -> ObjectRef:
    """Whose key, and which: the row's own number never leaves the database."""
    return ObjectRef("subjectkey", f"{row.kind}:{row.subject_id}/{row.version}")


def _facts(row: SubjectKey) -> dict[str, object]:
    return {"kind": row.kind, "version": row.version, "provider": row.provider, "epoch": row.epoch}


def _blob(row: SubjectKey) -> bytes:
    return bytes(row.wrapped or b"")


def _purpose_key(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(derived(key, b"mizan/1|" + purpose.encode()))


def derived(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256: a key for one use, from which neither the subject's key nor another use's can be told."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def _bound(subject: SubjectRef, purpose: str, head: bytes, aad: bytes) -> bytes:
    return b"\x00".join(
        [b"seal", subject.kind.encode(), subject.id.encode(), purpose.encode(), head.hex().encode(), aad]
    )


def _document_aad(document_id: UUID, subject: SubjectRef, version: int) -> bytes:
    return f"dek|{document_id}|{subject.kind}|{subject.id}|{version}".encode()
