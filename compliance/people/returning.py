"""Players who were erased, and come back: a new customer, of whom the product knows what it must not forget.

An erased customer is an id that keeps restrictions and the operator's reference, nothing else, and nothing new hangs on
it. The same reference again is the same player: the new customer becomes the same person, and what was restricted stays
so. An erasure never lets anybody play again.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from compliance.keys.services import Erased
from compliance.people.exclusions.carrying import carry
from compliance.people.models import Account, Customer, Restriction
from compliance.people.restrictions import tell_platform


def require_present(customer: Customer) -> None:
    """Raises Erased: whatever would hang on this customer belongs to nobody any more."""
    if Customer.objects.filter(pk=customer.pk, erased_at__isnull=False).exists():
        raise Erased(f"customer {customer.pk}: {Erased.__doc__}")


def let_go(customer: Customer) -> None:
    """The customer was erased now. For the erasure, in its transaction."""
    now = timezone.now()
    Customer.objects.filter(pk=customer.pk).update(erased_at=now)
    Account.objects.filter(customer=customer).update(released_at=now)


def welcome_back(account: Account, *, by: Acts) -> None:
    """A new account under the reference of a player who was erased: the same person again, as restricted as before.

    ValidationError when that person has another customer at this licensee already.
    """
    former = Account.objects.filter(
        licensee_id=account.licensee_id, reference=account.reference, released_at__isnull=False
    )
    before = former.select_related("customer").order_by("-released_at").first()
    if before is None:
        return
    _become_the_same_person(account.customer, before.customer, by=by)
    carried = 0
    for restriction in _standing(before):
        _carry(restriction, account, by=by)
        carried += 1
    details = {"former": str(before.customer_id), "restrictions": carried}
    record("people.come_back", by=by, about=account, details=details)


def _become_the_same_person(customer: Customer, former: Customer, *, by: Acts) -> None:
    """Restrictions of the person reach the new customer by this alone."""
    if customer.person_id == former.person_id:
        return
    of_the_person = Customer.objects.filter(person_id=former.person_id, erased_at=None)
    if of_the_person.filter(licensee_id=customer.licensee_id).exists():
        raise ValidationError({"reference": _("This player is registered again already. Open the account there.")})
    # Who is kept out stays out, whichever record goes on.
    carry(customer.person_id, former.person_id, by=by, customer=customer)
    # A person who was made for this customer alone leaves nothing behind.
    if not Customer.objects.filter(person_id=customer.person_id).exclude(pk=customer.pk).exists():
        moved = Restriction.objects.filter(person_id=customer.person_id, exclusion=None)
        moved.update(person_id=former.person_id)
    Customer.objects.filter(pk=customer.pk).update(person_id=former.person_id)
    customer.person_id = former.person_id


def _standing(before: Account) -> QuerySet[Restriction]:
    reach = Q(customer_id=before.customer_id) | Q(account=before)
    return Restriction.objects.select_for_update(of=("self",)).filter(reach, lifted_at=None).order_by("starts_at", "pk")


def _carry(restriction: Restriction, account: Account, *, by: Acts) -> None:
    """What held the erased customer or account holds the new one, unchanged."""
    change: dict[str, tuple[Any, Any]]
    if restriction.account_id:
        change = {"account_id": (restriction.account_id, account.pk)}
        restriction.account_id = account.pk
    else:
        change = {"customer_id": (restriction.customer_id, account.customer_id)}
        restriction.customer_id = account.customer_id
    restriction.save(update_fields=["account", "customer"])
    record("people.carry_restriction", by=by, about=restriction, changes=change)
    tell_platform(restriction)
