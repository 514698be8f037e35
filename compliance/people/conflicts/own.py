"""A member of staff who plays here: from the moment in which that can be seen, their own player is nobody they may look
at, work on or decide about. Nobody has to declare it, and nobody can forget to.

Seen by the e-mail address that the sign-in and an account of the player share: when an account is opened, when its
address changes, when somebody joins the staff; and every night for whatever came otherwise. The player's customers at
the other licensees are theirs too. It stays when one of the two has another address later: who was that player once
knows them.
"""

from collections.abc import Callable, Iterable

from django.db import transaction

from audit.actors import system
from audit.record import record
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.contacts import InvalidContact, normal_email
from compliance.people.models import Account, Customer, User

GiveUp = Callable[[User, Customer], None]

_given_up: list[GiveUp] = []


def register(give_up: GiveUp) -> None:
    """`give_up(user, customer)` takes back, in the same transaction, what somebody has in hand of their own player."""
    _given_up.append(give_up)


def meet_account(customer: Customer, emails: Iterable[str]) -> int:
    """Whether an address that came with the player's account is of somebody who works here. How many are new."""
    written = sorted({email for email in emails if email})
    found = User.objects.filter(email__in=written).order_by("pk") if written else User.objects.none()
    return sum(_found(user, customer) for user in found)


def meet_user(user: User) -> int:
    """Whether somebody of the staff plays here. How many of their customers are new."""
    try:
        index = blind_index(IndexPurpose.EMAIL, normal_email(user.email))
    except InvalidContact:
        return 0
    accounts = Account.objects.filter(email_index=index, customer__erased_at=None)
    players = Customer.objects.filter(pk__in=accounts.values("customer")).order_by("pk")
    return sum(_found(user, customer) for customer in players)


def meet_everybody() -> int:
    """For the night: what came in by another way, or both at the same moment, or was linked since."""
    found = 0
    for user in User.objects.order_by("pk").iterator():
        with transaction.atomic():
            found += meet_user(user)
            themselves = {"user": user, "relation": ConflictOfInterest.Relation.MYSELF}
            for known in ConflictOfInterest.objects.filter(**themselves).select_related("customer").order_by("pk"):
                found += _found(user, known.customer)
    return found


def _found(user: User, customer: Customer) -> int:
    others = Customer.objects.filter(person_id=customer.person_id, erased_at=None).order_by("pk")
    return sum(_noted(user, one) for one in others)


def _noted(user: User, customer: Customer) -> int:
    relation = ConflictOfInterest.Relation.MYSELF
    if ConflictOfInterest.objects.filter(user=user, customer=customer).exists():
        return 0
    for give_up in _given_up:
        give_up(user, customer)
    conflict, made = ConflictOfInterest.objects.get_or_create(
        user=user, customer=customer, defaults={"relation": relation}
    )
    if made:
        facts = {"user": str(user.pk)}
        record("people.find_own", by=system(), about=conflict, subject=customer.audit_subject, details=facts)
    return int(made)
