"""Players who are reached without a case: found by what they say of themselves, shown by their number alone, stopped.

Whether a player has a case that is hidden changes nothing of what is found or shown here, so nothing tells of it.
"""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from audit.record import ObjectRef, record_refusal
from cases.mail.permissions import licensees_of
from cases.models import Case
from cases.permissions import WORK
from cases.quality.models import SecondLook
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import Customer


def players_of(user: Any) -> "QuerySet[Customer]":
    """Players of the licensees whose cases this person works on, but those whom they know, and those whose case they
    look at again: what holds such a player would tell how it ended.
    """
    known = declared_by(user).values("customer_id")
    blind = SecondLook.objects.held_by(user).values("case__customer_id")
    return Customer.objects.filter(licensee__in=licensees_of(user)).exclude(pk__in=known).exclude(pk__in=blind)


def get_player(customer_id: UUID, *, user: Any) -> Customer:
    """The player, for who works at their licensee; Http404 to everybody else, which is recorded."""
    found = players_of(user).select_related("licensee").filter(pk=customer_id).first()
    if found is None:
        record_refusal("people.restrict", by=user, about=ObjectRef("customer", str(customer_id)), reason="no_right")
        raise Http404("no such player")
    return found


def without_case(user: Any, permission: str = WORK) -> Q:
    """Which restrictions of a player: those of players who have no case at all, at the licensees of this person.

    A player with a case is answered for in that case: who may not see it decides nothing on them. Asked at deciding
    only; what is seen and proposed without a case goes by `players_of`.
    """
    cases = Case.objects.order_by().filter(customer=OuterRef("customer"))
    known = declared_by(user).values("customer_id")
    here = Q(customer__licensee__in=licensees_of(user, permission).values("pk"))
    return here & ~Exists(cases) & ~Q(customer__in=known)
