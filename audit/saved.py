"""Questions to the log that people keep, to ask them again next quarter with the same words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.actors import INSTALLATION, Acts
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
    return [_opened(row, mine=(row.owner_kind, row.owner_id) == (actor.kind, actor.id)) for row in rows]


@transaction.atomic
def keep(name: str, query: Mapping[str, str], *, shared: bool, log: str, by: Acts) -> SavedQuery:
    row = SavedQuery(owner_kind=by.audit_actor.kind, owner_id=by.audit_actor.id, shared=shared, log=log)
    sealed = sealer().seal(INSTALLATION, row.pk, _bound(row), dumps({"name": name, "query": dict(query)}))
    row.kid, row.alg, row.ciphertext = sealed.kid, sealed.alg, sealed.ciphertext
    row.save(force_insert=True)
    details = {"name": name, "query": dict(query), "shared_with": "readers" if shared else "nobody"}
    record("audit.save_query", by=by, about=row, details=details)
    return row


@transaction.atomic
def remove(row: SavedQuery, *, by: Acts) -> None:
    """Its owner alone may. Raises Denied."""
    if (row.owner_kind, row.owner_id) != (by.audit_actor.kind, by.audit_actor.id):
        record_refusal("audit.delete_query", by=by, about=row, reason="not_the_owner")
        raise Denied("not_the_owner")
    record("audit.delete_query", by=by, about=row, details={"name": _opened(row, mine=True).name})
    row.delete()


def _opened(row: SavedQuery, *, mine: bool) -> Kept:
    sealed = Sealed(row.kid, row.alg, bytes(row.ciphertext))
    said = json.loads(sealer().open(INSTALLATION, row.pk, _bound(row), sealed))
    return Kept(row.pk, said["name"], said["query"], row.shared, mine)


def _bound(row: SavedQuery) -> bytes:
    return f"query|{row.pk}|{row.owner_kind}:{row.owner_id}|{row.log}".encode()
