"""Proofs as files, for a court or an auditor: one entry with its place, or that the log continues a checkpoint.

<id>.json         the entry, byte for byte as it was hashed
<id>.tlog-proof   its place in the signed tree (audit/proofs.py)
<size>.continues  `old <size>`, the consistency proof, an empty line, the newest checkpoint (tlog-witness)
"""

from uuid import UUID

from django.db import connections, transaction

from audit.actors import Acts
from audit.packing import unpack
from audit.proofs import NotSignedYet, continues, proof
from audit.record import ObjectRef, record


def entry_with_proof(event_id: UUID, log: str, *, by: Acts) -> dict[str, bytes]:
    """Files by name; that they were handed out is recorded. Raises NotSignedYet, also for an id that the log lacks."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT l.seq, e.entry FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
            "WHERE l.log = %s AND l.event_id = %s",
            [log, event_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise NotSignedYet(f"The log {log} has no entry {event_id}, or it has no place yet.")
    seq, stored = row
    text, size = proof(log, seq)
    with transaction.atomic(durable=True):
        record("audit.prove", by=by, about=ObjectRef("entry", str(seq)), details={"seq": seq, "size": size}, log=log)
    return {f"{event_id}.json": unpack(bytes(stored)), f"{event_id}.tlog-proof": text.encode()}


def continuation(old: int, log: str) -> dict[str, bytes]:
    """That the newest checkpoint continues the one of `old` entries. Raises NotSignedYet, NoSuchProof."""
    text, _size = continues(log, old)
    return {f"{old}.continues": text.encode()}
