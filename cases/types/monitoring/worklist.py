"""The compartment's own lists and search. Nothing of them stands in the search or the lists of the house."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Upper
from django.http import Http404

from audit.actors import INSTALLATION
from audit.record import ObjectRef, query_digest, record, record_read
from cases import numbers
from cases.types.monitoring.models import Freeze, FreezeState, Investigation
from cases.types.monitoring.permissions import INVESTIGATE, may, require
from compliance.people.models import Account, Customer, User
from compliance.people.queries import fold

MOST = 200
VIEWS = ("open", "mine", "with_mlro", "closed")


def get(number: str, *, user: User) -> Investigation:
    """Http404 to everybody outside, and for players whom the person knows."""
    require(user)
    rows = Investigation.objects.visible_to(user).select_related("customer", "licensee", "assignee", "merged_into")
    found = rows.filter(number=number).first()
    if found is None:
        raise Http404("no such investigation")
    return found


def look(investigation: Investigation, *, by: User) -> None:
    """Opening its page: one entry of the AML log in 15 minutes."""
    mark = f"investigation:{investigation.pk}"
    record_read(
        by=by,
        subject=INSTALLATION,
        purpose="investigation",
        about=investigation,
        mark=mark,
        matter=investigation.number,
    )


@transaction.atomic
def listed(view: str, words: str, *, by: User) -> list[Investigation]:
    """The investigations of a view, newest first, or those that the words find. Looking is an entry of the AML log."""
    require(by)
    rows = found(words, by) if words.strip() else _of(view, by)
    shown = list(rows.select_related("customer", "licensee", "assignee").order_by("-opened_at")[:MOST])
    details: dict[str, Any] = {"view": view, "rows": len(shown)}
    if words.strip():
        details["query"] = query_digest(words.strip())
    record("monitoring.list", by=by, about=ObjectRef("list", "investigations"), details=details, log="aml")
    return shown


def found(words: str, user: Any) -> "QuerySet[Investigation]":
    """By number, by player number, by name."""
    mine = Investigation.objects.visible_to(user)
    try:
        number = numbers.parse(words)
    except numbers.TypingError:
        return mine.none()
    if number:
        return mine.filter(number=number)
    named = Customer.objects.filter(name_fold__contains=fold(words.strip()))
    theirs = Account.objects.annotate(upper=Upper("reference")).filter(upper=words.strip().upper())
    return mine.filter(customer__in=named) | mine.filter(customer__in=theirs.values("customer"))


def waiting_count(user: Any) -> int:
    """What is open, for the rail."""
    return Investigation.objects.visible_to(user).open().count() if may(user, INVESTIGATE) else 0


def freezes_to_second(user: User) -> "QuerySet[Freeze]":
    """Freezes of other persons that nobody else has looked at."""
    waiting = Freeze.objects.filter(state__in=[FreezeState.PLACED, FreezeState.OVERDUE])
    seen = Investigation.objects.visible_to(user).filter(pk=OuterRef("investigation"))
    rows = waiting.filter(Exists(seen)).exclude(placed_human=user.human_id)
    return rows.select_related("investigation", "placed_by").order_by("second_by")


def player_of(reference: str, licensee_id: UUID | None = None) -> Customer | None:
    """Whom a player number means, where it means one."""
    rows = Account.objects.filter(reference=reference.strip(), released_at=None)
    rows = rows.filter(licensee_id=licensee_id) if licensee_id else rows
    accounts = list(rows.select_related("customer__licensee")[:2])
    return accounts[0].customer if len(accounts) == 1 else None


def _of(view: str, user: User) -> "QuerySet[Investigation]":
    rows = Investigation.objects.visible_to(user)
    match view:
        case "mine":
            return rows.open().filter(assignee__human_id=user.human_id)
        case "with_mlro":
            return rows.filter(state__in=["with_mlro", "reporting"])
        case "closed":
            return rows.exclude(pk__in=rows.open().values("pk"))
    return rows.open()
