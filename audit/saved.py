"""Questions to the log that people keep, to ask them again next quarter.

They name people and things by ids (forms.SearchForm.by_ids). What somebody calls a question may still name a player,
so it is sealed under that customer's key, and its entry too: once the key is destroyed the question is gone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.actors import Acts, SubjectRef
from audit.canonical import dumps
from audit.models import SavedQuery
from audit.perform import Denied
from audit.record import record, record_refusal
from audit.sealer import Sealed, sealer

MOST = 50  # kept queries that a page lists


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved query, opened. `query` holds the filters as they stand in the page's address."""

    id: UUID
    name: str
    query: Mapping[str, str]
    shared: bool
    mine: bool


def kept(by: Acts, *, logs: Sequence[str]) -> list[Kept]:
    """What the person keeps, and what others shared, oldest first."""
    actor = by.audit_actor
    mine = Q(owner_kind=actor.kind, owner_id=actor.id)
    rows = SavedQuery.objects.filter(mine | Q(shared=True), log__in=logs).order_by("created_at")[:MOST]
    opened = [_opened(row, mine=(row.owner_kind, row.owner_id) == (actor.kind, actor.id)) for row in rows]
    return [one for one in opened if one]


@transaction.atomic
def keep(name: str, query: Mapping[str, str], *, shared: bool, log: str, by: Acts) -> SavedQuery:
    actor = by.audit_actor
    subject = SubjectRef("customer", query["customer"]) if "customer" in query else SubjectRef(actor.kind, actor.id)
    row = SavedQuery(owner_kind=actor.kind, owner_id=actor.id, shared=shared, log=log)
    row.subject_kind, row.subject_id = subject.kind, subject.id
    sealed = sealer().seal(subject, row.pk, _bound(row), dumps({"name": name, "query": dict(query)}))
    row.kid, row.alg, row.ciphertext = sealed.kid, sealed.alg, sealed.ciphertext
    row.save(force_insert=True)
    details = {"name": name, "query": dict(query), "shared_with": "readers" if shared else "nobody"}
    record("audit.save_query", by=by, about=row, details=details, subject=subject)
    return row


@transaction.atomic
def remove(row: SavedQuery, *, by: Acts) -> None:
    """Its owner alone may. Raises Denied."""
    if (row.owner_kind, row.owner_id) != (by.audit_actor.kind, by.audit_actor.id):
        record_refusal("audit.delete_query", by=by, about=row, reason="not_the_owner")
        raise Denied("not_the_owner")
    opened = _opened(row, mine=True)
    details = {"name": opened.name} if opened else {}
    record("audit.delete_query", by=by, about=row, details=details, subject=_subject(row) if opened else None)
    row.delete()


def _subject(row: SavedQuery) -> SubjectRef:
    return SubjectRef(row.subject_kind, row.subject_id)


def _opened(row: SavedQuery, *, mine: bool) -> Kept | None:
    """None when the key of whom it is about is destroyed."""
    if sealer().entry_key(_subject(row), row.pk, row.kid) is None:
        return None
    sealed = Sealed(row.kid, row.alg, bytes(row.ciphertext))
    said = json.loads(sealer().open(_subject(row), row.pk, _bound(row), sealed))
    return Kept(row.pk, said["name"], said["query"], row.shared, mine)


def _bound(row: SavedQuery) -> bytes:
    return f"query|{row.pk}|{row.owner_kind}:{row.owner_id}|{row.log}".encode()
