"""Erasing a customer: the key goes at once, files and sealed rows in the background, old backups with their epoch.

shred ─ one transaction: hold and period checked, entry, key overwritten, indexes and names emptied, outbox row
  └─▶ finish ─ in batches, resumable: documents destroyed, their files removed, tombstone written, entry
         └─▶ `keys rotate --destroy-old` ─ from then on the key is dead in every backup (certificate.py says when)
"""

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, WrongState, perform
from audit.record import record
from compliance.keys import tombstones
from compliance.keys.models import Tombstone
from compliance.keys.services import Shred, shred_subject
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import Customer
from compliance.people.returning import let_go
from compliance.proposals.queries import require_second_person
from documents.keeping import reach
from documents.keeping.models import Erasure
from documents.keeping.standing import Standing, erased_words, is_erased, may_be_shredded, standing_of
from documents.models import Document
from documents.storage import storage

SHRED, FINISH = "keys.shred", "keeping.finish_erasure"
BATCH = 100  # documents of one delivery; what is left is posted again

_log = logging.getLogger(__name__)


def shred(
    customer: Customer, *, by: Acts, reason: str, proposal: str | None = None, maker: str = "", **inputs: Any
) -> Erasure:
    """The act that two persons decide: destroy the customer's key and all that it sealed.

    Raises SecondPersonNeeded, ConditionsNotMet with what keeps the records (a hold wins over everything).
    """
    require_second_person(SHRED, customer, proposal=proposal)
    return _shred(customer, by=by, reason=reason, proposal=proposal, maker=maker)


def shred_when_due(customer: Customer) -> Erasure:
    """The retention run's own: by the system, under the rule whose period is over. Raises ConditionsNotMet."""
    return _shred(customer, by=system(), reason="retention", proposal=None, maker="")


@transaction.atomic
def _shred(customer: Customer, *, by: Acts, reason: str, proposal: str | None, maker: str) -> Erasure:
    fresh = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    standing = standing_of(fresh)
    if unmet := ([erased_words()] if is_erased(fresh) else may_be_shredded(standing)):
        raise ConditionsNotMet(unmet)
    documents = Document.objects.filter(customer=fresh).count()
    done = shred_subject(
        fresh.audit_subject, by=by, reason=reason, documents=documents, **_why(standing, proposal, maker)
    )
    erasure = Erasure.objects.create(
        customer=fresh,
        reason=reason,
        policy=standing.policy,
        rule=standing.rule,
        kept_until=standing.kept_until,
        maker=maker,
        decided_by=str(by.audit_actor),
        proposal_id=UUID(proposal) if proposal else None,
        documents=documents,
        **_destroyed(done),
    )
    _follow(fresh, erasure)
    return erasure


def _why(standing: Standing, proposal: str | None, maker: str) -> dict[str, str]:
    facts = {"rule": standing.rule, "policy": standing.policy, "proposal": proposal or "", "maker": maker}
    if standing.kept_until:
        facts["kept_until"] = standing.kept_until.isoformat()
    return {name: value for name, value in facts.items() if value}


def _destroyed(done: Shred) -> dict[str, Any]:
    return {
        "provider": done.provider,
        "epoch": max(done.epochs, default=0),
        "keys": done.keys,
        "through_version": done.version,
        "shredded_at": timezone.now(),
    }


def _follow(customer: Customer, erasure: Erasure) -> None:
    """Names and indexes go with the key; files and the certificate follow."""
    erasure.rows = reach.empty(customer)
    let_go(customer)
    erasure.save(update_fields=["rows"])
    post(FINISH, payload={"erasure_id": str(erasure.pk)})


# ------------------------------------------------------------------------------------------------- in the background
def finish(row: OutboxRow) -> None:
    """Destroy the documents and remove their files. Runs again where it stopped; twice does no harm."""
    erasure = Erasure.objects.select_for_update(of=("self",)).get(pk=row.payload["erasure_id"])
    if erasure.finished_at is not None:
        return
    left = Document.objects.filter(customer_id=erasure.customer_id, file_removed_at=None)
    ids = list(left.order_by("pk").values_list("pk", flat=True)[:BATCH])
    for document_id in ids:
        _end(document_id)
    if len(ids) == BATCH:
        post(FINISH, payload={"erasure_id": str(erasure.pk)})
        return
    # What was written since the shred (a late message, a sweep) goes too.
    rows = reach.empty(erasure.customer)
    tombstones.sync()
    erasure.finished_at = timezone.now()
    erasure.save(update_fields=["finished_at"])
    details = {"erasure": str(erasure.pk), "documents": erasure.documents, "rows": sum(rows.values())}
    record("keeping.finish_erasure", by=system(), about=erasure, details=details)


register(FINISH, finish)


def _end(document_id: UUID) -> None:
    """The row first: a crash leaves a file that the sweep finds, never a readable row without one."""
    document = Document.objects.get(pk=document_id)
    if document.state != "destroyed":
        try:
            perform(document.destroy, by=system(), reason="erased")
        except WrongState:
            # Destroyed by somebody else since we looked: all the better.
            _log.info("document %s was destroyed meanwhile", document_id)
    storage().delete(document_id)
    Document.objects.filter(pk=document_id).update(file_removed_at=timezone.now())


# -------------------------------------------------------------------------------------------------- after a restore
def replay() -> dict[str, int]:
    """Shred again what the file beside the keys remembers and a restored database does not. Safe to repeat.

    No hold and no period is asked: it was lawful when it was done, and it was done.
    """
    counted = {"replayed": 0, "keys": 0}
    for stone in tombstones.unreplayed():
        with transaction.atomic():
            counted["keys"] += _replayed(stone)
        counted["replayed"] += 1
    return counted


def _replayed(stone: tombstones.Stone) -> int:
    row = Tombstone(kind=stone.kind, subject_id=stone.subject_id, version=stone.version)
    done = shred_subject(row.subject, by=system(), reason="restored_backup", action="keys.replay_shred")
    Tombstone.objects.get_or_create(
        kind=stone.kind, subject_id=stone.subject_id, version=stone.version, defaults={"shredded_at": stone.shredded_at}
    )
    customer = Customer.objects.filter(pk=stone.subject_id).first() if stone.kind == "customer" else None
    if customer is not None:
        erasure = Erasure.objects.create(
            customer=customer,
            reason="restored_backup",
            decided_by="system:system",
            documents=Document.objects.filter(customer=customer).count(),
            **_destroyed(done),
        )
        _follow(customer, erasure)
    return done.keys
