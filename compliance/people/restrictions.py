"""Life of a restriction: set by one person at once (`restrict`), in force until its end, or lifted by two.

Each change leaves an outbox row in the same transaction: the platform is told, beside asking the gate.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.outbox.services import post
from compliance.people.models import Account, Customer, Person, Restriction
from compliance.people.permissions import require_active

CHANGED = "people.gate_changed"
NOBODY = UUID(int=0)  # in `lifted_by`: the product itself
_followers: list[Callable[[Restriction, Acts], None]] = []
_enders: list[Callable[[Restriction, Acts], None]] = []


def also(follow: Callable[[Restriction, Acts], None]) -> None:
    """Have `follow(restriction, by)` called in the transaction of every restriction that the main log knows of."""
    _followers.append(follow)


def also_lift(end: Callable[[Restriction, Acts], None]) -> None:
    """Have `end(restriction, by)` called in the transaction that lifts a restriction."""
    _enders.append(end)


def in_force(
    customer: Customer, *, account: Account | None = None, at: datetime | None = None, coming: bool = False
) -> "models.QuerySet[Restriction]":
    """What holds this customer back now: rows of the person, the customer, and the account given (else of all).

    `coming`: those that begin later too.
    """
    at = at or timezone.now()
    reach = Q(person_id=customer.person_id) | Q(customer_id=customer.pk)
    reach |= Q(account=account) if account else Q(account__customer_id=customer.pk)
    running = Q(until=None) | Q(until__gt=at)
    rows = Restriction.objects.filter(reach, running, lifted_at=None).order_by("starts_at", "id")
    return rows if coming else rows.filter(starts_at__lte=at)


def effects_of(restriction: Restriction) -> list[str]:
    """The names of what it stops, in the order of Restriction.EFFECTS."""
    return [effect for effect in Restriction.EFFECTS if getattr(restriction, f"stops_{effect}")]


@transaction.atomic
def restrict(
    reaches: Person | Customer | Account,
    *,
    stops: Iterable[str],
    cover_code: str,
    source: str,
    by: Acts,
    starts_at: datetime | None = None,
    until: datetime | None = None,
    reason: str | None = None,
    matter: str | None = None,
    log: str = "main",
) -> Restriction:
    """Stop what is named in `stops` (see Restriction.EFFECTS), at once. It protects, so one person is enough.

    `cover_code` is all that leaves the house; `source` is the kind of case that set it and stays sealed in the log.
    """
    require_active(by, action="people.restrict", about=reaches)
    asked = set(stops)
    if not asked or not asked <= set(Restriction.EFFECTS):
        known = ", ".join(Restriction.EFFECTS)
        raise ValidationError({"stops": _("Say what stops. Known: %(known)s.") % {"known": known}})
    starts_at = starts_at or timezone.now()
    if until is not None and until <= starts_at:
        raise ValidationError({"until": _("The end must be after the start.")})
    owner = {Person: "person", Customer: "customer", Account: "account"}[type(reaches)]
    restriction = Restriction(starts_at=starts_at, until=until, cover_code=cover_code, source=source)
    setattr(restriction, owner, reaches)
    for effect in asked:
        setattr(restriction, f"stops_{effect}", True)
    restriction.save(force_insert=True)
    details = {"stops": sorted(asked), "cover_code": cover_code, "until": until, "source": source}
    details = {name: value for name, value in details.items() if value is not None}
    record("people.restrict", by=by, about=restriction, reason=reason, details=details, matter=matter, log=log)
    tell_platform(restriction)
    for follow in _followers if log == "main" else ():
        follow(restriction, by)
    return restriction


@transaction.atomic
def lift(restriction: Restriction, *, by: Acts, reason: str, matter: str | None = None, **about: str) -> Restriction:
    """End it before its time. Whether two persons agreed is asked above (cases.protection); twice changes nothing.

    `about` are the facts of the decision that the entry names (proposal, maker).
    """
    require_active(by, action="people.lift_restriction", about=restriction)
    fresh = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
    if fresh.lifted_at is None:
        fresh.lifted_at, fresh.lifted_by = timezone.now(), getattr(by, "pk", None) or by.human_id or NOBODY
        fresh.save(update_fields=["lifted_at", "lifted_by"])
        details = {"stops": effects_of(fresh), "cover_code": fresh.cover_code, **about}
        record("people.lift_restriction", by=by, about=fresh, reason=reason, details=details, matter=matter)
        tell_platform(fresh)
        for end in _enders:
            end(fresh, by)
    return fresh


def tell_platform(restriction: Restriction) -> None:
    """Leave rows that have the platform told, now and when time alone changes what is allowed.

    Ids only: the platform asks the gate what it means. Who delivers them stands above (compliance.platform.webhooks).
    """
    payload = {"restriction_id": restriction.pk}
    post(CHANGED, payload=payload, subject=f"restriction:{restriction.pk}")
    if restriction.lifted_at is None:
        now = timezone.now()
        for moment in (restriction.starts_at, restriction.until):
            if moment is not None and moment > now:
                post(CHANGED, payload=payload, due_at=moment)


def accounts_reached(restriction: Restriction) -> "models.QuerySet[Account]":
    """Every account whose gate this row changes. Exactly one of the three is set, and no account has it as None."""
    reach = Q(pk=restriction.account_id) | Q(customer_id=restriction.customer_id)
    if restriction.person_id:
        reach |= Q(customer__person_id=restriction.person_id)
    return Account.objects.filter(reach)
