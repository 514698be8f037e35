"""Life of a restriction: set by one person at once (`services.restrict`), in force until its end, or lifted by two.

Each change leaves an outbox row in the same transaction: the platform is told, beside asking the gate.
"""

from datetime import datetime

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from audit.actors import Acts
from audit.record import record
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import Account, Customer, Restriction
from compliance.people.permissions import require_active

CHANGED = "people.gate_changed"


def in_force(
    customer: Customer, *, account: Account | None = None, at: datetime | None = None
) -> "models.QuerySet[Restriction]":
    """What holds this customer back now: rows of the person, the customer, and the account given (else of all)."""
    at = at or timezone.now()
    reach = Q(person_id=customer.person_id) | Q(customer_id=customer.pk)
    reach |= Q(account=account) if account else Q(account__customer_id=customer.pk)
    running = Q(until=None) | Q(until__gt=at)
    return Restriction.objects.filter(reach, running, lifted_at=None, starts_at__lte=at).order_by("starts_at", "id")


def effects_of(restriction: Restriction) -> list[str]:
    """The names of what it stops, in the order of Restriction.EFFECTS."""
    return [effect for effect in Restriction.EFFECTS if getattr(restriction, f"stops_{effect}")]


@transaction.atomic
def lift(restriction: Restriction, *, by: Acts, reason: str, matter: str | None = None, **about: str) -> Restriction:
    """End it before its time. Whether two persons agreed is asked above (cases.protection); twice changes nothing.

    `about` are the facts of the decision that the entry names (proposal, maker).
    """
    require_active(by, action="people.lift_restriction", about=restriction)
    fresh = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
    if fresh.lifted_at is None:
        fresh.lifted_at, fresh.lifted_by = timezone.now(), getattr(by, "pk", None) or by.human_id
        fresh.save(update_fields=["lifted_at", "lifted_by"])
        details = {"stops": effects_of(fresh), "cover_code": fresh.cover_code, **about}
        record("people.lift_restriction", by=by, about=fresh, reason=reason, details=details, matter=matter)
        tell_platform(fresh)
    return fresh


def tell_platform(restriction: Restriction) -> None:
    """Leave a row that has the platform told: ids only, the platform asks the gate what it means."""
    post(CHANGED, payload={"restriction_id": restriction.pk})


def told(row: OutboxRow) -> None:
    """Handed over. Without an address to call, the platform learns it when it next asks the gate."""


register(CHANGED, told)


def accounts_reached(restriction: Restriction) -> "models.QuerySet[Account]":
    """Every account whose gate this row changes. Exactly one of the three is set, and no account has it as None."""
    reach = Q(pk=restriction.account_id) | Q(customer_id=restriction.customer_id)
    if restriction.person_id:
        reach |= Q(customer__person_id=restriction.person_id)
    return Account.objects.filter(reach)
