"""Names for the ids of people in the log, and the ids that a person may mean by what they type."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q

from audit.cards import spare
from audit.names import also, register
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.contacts import normal_email
from compliance.people.models import Account, User
from compliance.people.queries import fold

MOST = 50


def _keys(ids: Iterable[str]) -> list[UUID]:
    """Those that can be keys of ours: an entry that somebody inserted by SQL may hold any text."""
    keys = []
    for text in ids:
        with suppress(ValueError):
            keys.append(UUID(text))
    return keys


def names_of_staff(ids: Iterable[str]) -> Mapping[str, str]:
    return {str(pk): name for pk, name in User.objects.filter(pk__in=_keys(ids)).values_list("pk", "name")}


def find_staff(text: str) -> Iterable[str]:
    """Staff by e-mail or part of the name."""
    found = User.objects.filter(Q(email__iexact=text) | Q(name__icontains=text))
    return [str(pk) for pk in found.values_list("pk", flat=True)[:MOST]]


def names_of_customers(ids: Iterable[str]) -> Mapping[str, str]:
    """The operator's references: the log's page shows no names of players."""
    accounts = Account.objects.filter(customer_id__in=_keys(ids)).order_by("created_at")
    names: dict[str, str] = {}
    for customer, reference in accounts.values_list("customer_id", "reference"):
        names.setdefault(str(customer), reference)
    return names


def find_customers(text: str) -> Iterable[str]:
    """Players by the operator's reference, e-mail, or folded name."""
    found = Q(reference__iexact=text) | Q(customer__name_fold=fold(text))
    with suppress(ValidationError):  # no e-mail address: the other ways of finding stay
        found |= Q(email_index=blind_index(IndexPurpose.EMAIL, normal_email(text)))
    return [str(pk) for pk in Account.objects.filter(found).values_list("customer_id", flat=True)[:MOST]]


def known_references(candidates: list[str]) -> Iterable[str]:
    """Which of these digits are an operator's references: they are no card numbers, whatever their check digit."""
    if connection.needs_rollback:  # nothing can be asked any more, and in doubt it is a card
        return ()
    return Account.objects.filter(reference__in=candidates).values_list("reference", flat=True)


spare(known_references)
register("staff", names_of_staff, find_staff)
also("staff", "assignee_id", "decided_by_id", "checker_id", "named_checker", "owner")
register("user", names_of_staff, find_staff)
register("customer", names_of_customers, find_customers)
