"""The tree's leaves beside the entries they name, as a verification reads them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from audit.canonical import moment
from audit.packing import unpack


class Leaf(NamedTuple):
    """A row of the tree with the entry it names; the entry's columns are None when it is gone."""

    seq: int
    leaf_event_id: UUID | None
    event_id: UUID | None
    at: datetime | None
    actor_kind: str | None
    actor_id: str | None
    action: str | None
    object_kind: str | None
    object_id: str | None
    subject_kind: str | None
    subject_id: str | None
    matter: str | None
    outcome: str | None
    request_id: str | None
    entry: bytes | None
    kid: str | None
    alg: str | None
    digest: bytes | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Leaf":
        """From a row that LEAVES found, the entry unpacked."""
        leaf = cls._make(row)
        return leaf if leaf.entry is None else leaf._replace(entry=unpack(bytes(leaf.entry)))


# The ids once more, as a condition of their own: an auditors' login reads through views, which no join looks into.
LEAVES = """
WITH place AS MATERIALIZED (
    SELECT log, seq, event_id, entry_id FROM audit_leaf WHERE log = %s AND seq >= %s ORDER BY seq LIMIT %s
)
SELECT l.seq, l.event_id, e.event_id, e.at, e.actor_kind, e.actor_id, e.action, e.object_kind, e.object_id,
       e.subject_kind, e.subject_id, e.matter, e.outcome, e.request_id, e.entry, s.kid, s.alg, sha256(s.ciphertext)
FROM place l
LEFT JOIN audit_entry e ON e.id = l.entry_id AND e.log = l.log AND e.id = ANY(ARRAY(SELECT entry_id FROM place))
LEFT JOIN audit_sealed s ON s.entry_id = l.entry_id AND s.entry_id = ANY(ARRAY(SELECT entry_id FROM place))
ORDER BY l.seq
"""


def wrong_columns(leaf: Leaf, facts: dict[str, Any]) -> Iterator[str]:
    """Names of columns that do not repeat what the entry says."""
    subject = facts.get("subject") or {}
    expected = {
        "event_id": UUID(facts["id"]),
        "at": moment(facts["ts"]),
        "actor_kind": facts["actor"]["t"],
        "actor_id": facts["actor"]["id"],
        "action": facts["action"],
        "object_kind": facts["object"]["t"],
        "object_id": facts["object"]["id"],
        "subject_kind": subject.get("t"),
        "subject_id": subject.get("id"),
        "matter": facts.get("matter"),
        "outcome": facts["out"],
        "request_id": facts["req"],
    }
    return (name for name, value in expected.items() if getattr(leaf, name) != value)
