"""Seals for the log (audit/sealer.py): one key per entry, from the subject's key, which a shred takes along."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.actors import SubjectRef
from audit.sealer import Sealed
from compliance.keys.services import NotOpened, Shredded, current_key, derived, key_of_version, writer_key

ALGORITHM = "HKDF-SHA256+A256GCM"
_NONCE = 12


class SubjectSealer:
    """`kid` is the kind and version of the subject's key; `ciphertext` is nonce, ciphertext and tag."""

    def seal(
        self, subject: SubjectRef, entry_id: UUID, aad: bytes, plaintext: bytes, *, using: str = "default"
    ) -> Sealed:
        version, key = current_key(subject, using=using, for_log=True)
        kid = f"{subject.kind}/{version}"
        nonce = secrets.token_bytes(_NONCE)
        return Sealed(kid, ALGORITHM, nonce + _entry_key(key, entry_id).encrypt(nonce, plaintext, _bound(aad, kid)))

    def open(self, subject: SubjectRef, entry_id: UUID, aad: bytes, sealed: Sealed, *, using: str = "default") -> bytes:
        if sealed.alg != ALGORITHM:
            raise NotOpened(f"The entry {entry_id} is sealed in the unknown form {sealed.alg}.")
        key = key_of_version(subject, _version(subject, entry_id, sealed.kid), using=using)
        nonce, body = sealed.ciphertext[:_NONCE], sealed.ciphertext[_NONCE:]
        try:
            return _entry_key(key, entry_id).decrypt(nonce, body, _bound(aad, sealed.kid))
        except (InvalidTag, ValueError):
            raise NotOpened(f"The sealed part of entry {entry_id} does not open.") from None

    def entry_key(self, subject: SubjectRef, entry_id: UUID, kid: str) -> bytes | None:
        try:
            key = key_of_version(subject, _version(subject, entry_id, kid))
        except Shredded:
            return None
        return derived(key, b"audit|" + entry_id.bytes)

    def mac(self, data: bytes) -> bytes:
        return self.writer()(data)

    def writer(self) -> Callable[[bytes], bytes]:
        key = writer_key()
        return lambda data: hmac.digest(key, data, hashlib.sha256)


def _version(subject: SubjectRef, entry_id: UUID, kid: str) -> int:
    """The version of the subject's key that `kid` names."""
    kind, _, version = kid.partition("/")
    if kind != subject.kind or not version.isdecimal():
        raise NotOpened(f"The entry {entry_id} names a key that is not its subject's.")
    return int(version)


def _entry_key(key: bytes, entry_id: UUID) -> AESGCM:
    return AESGCM(derived(key, b"audit|" + entry_id.bytes))


def _bound(aad: bytes, kid: str) -> bytes:
    return aad + b"|" + kid.encode()
