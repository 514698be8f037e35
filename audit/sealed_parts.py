"""Sealed parts in an export: the ciphertexts as they lie in the log, and their keys for one recipient only.

    sealed/ciphertexts.jsonl   {alg, ciphertext, kid, seq}: what the entry names by SHA-256; verify.py checks it
    sealed/keys.hpke           {seq: key} encrypted to the recipient (RFC 9180, X25519, HKDF-SHA256, AES-256-GCM)

A key opens one entry and nothing else. `verifier/open_sealed.py` opens them with the recipient's private key.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.db import connections
from django.utils.translation import gettext as _

from audit.actors import INSTALLATION, SubjectRef
from audit.canonical import dumps
from audit.queries import Row
from audit.sealer import sealer
from audit.selections import CannotExport
from audit.verifier.open_sealed import CIPHERTEXTS, KEYS, SUITE, info


def recipient_of(text: str) -> X25519PublicKey:
    """The public key that `text` stands for: 32 bytes in base64. CannotExport when it is none."""
    try:
        return X25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError:
        raise CannotExport(
            _("This is no public key of a recipient: 32 bytes in base64, as open_sealed.py prints it.")
        ) from None


def fingerprint(recipient: str) -> str:
    """16 hex digits that name the recipient's key in the log."""
    return sha256(recipient_of(recipient).public_bytes_raw()).hexdigest()[:16]


def files(rows: Sequence[Row], *, log: str, origin: str, recipient: str) -> dict[str, bytes]:
    """The two files, by name. A part whose key was destroyed comes along and stays shut."""
    by_seq = {row.seq: row for row in rows if row.seq is not None}
    lines, keys = [], {}
    for seq, ciphertext in _stored(log, sorted(by_seq)):
        if not (said := by_seq[seq].facts.get("sealed")):
            continue  # added to an entry that has none: `audit verify` names it
        text = base64.b64encode(bytes(ciphertext)).decode()
        lines.append(dumps({"alg": said["alg"], "ciphertext": text, "kid": said["kid"], "seq": seq}) + b"\n")
        if key := _key(by_seq[seq], said["kid"]):
            keys[str(seq)] = base64.b64encode(key).decode()
    data = b"".join(lines)
    sealed = SUITE.encrypt(dumps(keys), recipient_of(recipient), info(origin, sha256(data).digest()))
    return {CIPHERTEXTS: data, KEYS: sealed}


def _key(row: Row, kid: str) -> bytes | None:
    said = row.facts.get("subject")
    subject = SubjectRef(said["t"], said["id"]) if said else INSTALLATION
    return sealer().entry_key(subject, UUID(str(row.event_id)), kid)


def _stored(log: str, seqs: Sequence[int]) -> list[tuple[int, bytes]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT l.seq, s.ciphertext FROM audit_leaf l JOIN audit_sealed s ON s.entry_id = l.entry_id "
            "WHERE l.log = %s AND l.seq = ANY(%s) ORDER BY l.seq",
            [log, list(seqs)],
        )
        found: list[tuple[int, bytes]] = cursor.fetchall()
    return found
