"""An exclusion follows its person: to another record of the same person, and back after a restore."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.actors import Acts
from audit.record import record
from compliance.people.exclusions import ledger, suppression
from compliance.people.exclusions.models import Duplicate, Exclusion, LedgerEntry, Suppressed
from compliance.people.models import Customer, Licensee, Person
from compliance.people.restrictions import effects_of, restrict


def carry(from_person: Any, to_person: Any, *, by: Acts, customer: Customer | None = None) -> list[Exclusion]:
    """What keeps one record of a person out keeps the other out, for as long. Twice changes nothing."""
    made = []
    for exclusion in Exclusion.objects.of(from_person).select_related("restriction").order_by("starts_at", "pk"):
        origin = exclusion.carried_from_id or exclusion.pk
        if not Exclusion.objects.of(to_person).filter(Q(carried_from=origin) | Q(pk=origin)).exists():
            made.append(_twin(exclusion, origin, to_person, customer, by=by))
    known = Suppressed.objects.filter(person_id=from_person).values_list("what", "digest")
    suppression.remember(Person(pk=to_person), [(what, bytes(digest)) for what, digest in known])
    for twin in made:
        ledger.write(twin, "started")
    return made


def resembling(exclusion: Exclusion) -> QuerySet[Duplicate]:
    """Duplicates of everybody whom the exclusion reaches: who it was carried to has no request of their own."""
    origin = exclusion.carried_from_id or exclusion.pk
    people = Exclusion.objects.filter(Q(pk=origin) | Q(carried_from=origin)).values("person_id")
    return Duplicate.objects.filter(Q(person_id=exclusion.person_id) | Q(person_id__in=people))


def _twin(exclusion: Exclusion, origin: Any, person_id: Any, customer: Customer | None, *, by: Acts) -> Exclusion:
    # What one licensee agreed on for itself reaches no other one.
    narrow = exclusion.scope == "licensee" and customer is not None and customer.licensee_id == exclusion.licensee_id
    row = restrict(
        customer if narrow and customer is not None else Person(pk=person_id),
        stops=effects_of(exclusion.restriction),
        cover_code=exclusion.restriction.cover_code,
        source=suppression.SOURCE,
        by=by,
        starts_at=exclusion.starts_at,
    )
    names = ("licensee_id", "kind", "asked_by", "starts_at", "term_ends_at", "ends_at", "return_from", "policy_version")
    twin = Exclusion(**{name: getattr(exclusion, name) for name in names}, restriction=row)
    twin.scope = "licensee" if narrow else "group"
    twin.person_id, twin.carried_from_id, twin.customer = person_id, origin, customer
    twin.save(force_insert=True)
    record("exclusion.carry", by=by, about=twin, details={"carried_from": str(origin), "restriction": row.pk})
    return twin


def reconcile(*, by: Acts) -> dict[str, int]:
    """Bring back what the file beside the keys remembers and a restored database does not. Safe to repeat.

    What ended after the backup was made is in force again: nobody plays because of a restore. It ends as its policy
    says, or the player asks again; `in_force_again` counts those.
    """
    counted = {"brought_back": 0, "in_force_again": 0, "without_licensee": 0}
    for line in ledger.unknown():
        with transaction.atomic():
            counted[_reconciled(line, by=by)] += 1
    return counted


def _reconciled(line: dict[str, Any], *, by: Acts) -> str:
    did = "in_force_again"
    if line["what"] == "started":
        did = "brought_back" if _bring_back(line, by=by) else "without_licensee"
    if did != "without_licensee":
        LedgerEntry.objects.create(
            pk=line["id"], exclusion_id=line["exclusion"], what=line["what"], body=line["body"], at=line["at"]
        )
    return did


def _bring_back(line: dict[str, Any], *, by: Acts) -> bool:
    body = line["body"]
    if Exclusion.objects.filter(pk=line["exclusion"]).exists():
        return True
    licensee = Licensee.objects.filter(pk=body["licensee"]).first()
    if licensee is None:
        return False
    person, _made = Person.objects.get_or_create(pk=body["person"])
    customer = Customer.objects.filter(pk=body["customer"]).first() if body["customer"] else None
    reaches = customer if body["scope"] == "licensee" and customer else person
    row = restrict(
        reaches,
        stops=body["stops"],
        cover_code=body["code"],
        source=suppression.SOURCE,
        by=by,
        starts_at=_moment(body["starts_at"]),
    )
    exclusion = Exclusion(
        pk=line["exclusion"],
        person=person,
        customer=customer,
        licensee=licensee,
        restriction=row,
        kind=body["kind"],
        asked_by=body["asked_by"],
        scope=body["scope"] if customer else "group",
        policy_version=body["policy"],
        **{name: _moment(body[name]) for name in ("starts_at", "term_ends_at", "ends_at", "return_from")},
    )
    exclusion.save(force_insert=True)
    digests = [(what, bytes.fromhex(digest)) for what, digest in body["known_by"]]
    suppression.remember(person, digests)
    record("exclusion.restore", by=by, about=exclusion, details={"restored": line["at"], "restriction": row.pk})
    return True


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
