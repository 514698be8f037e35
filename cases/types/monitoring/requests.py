"""Asking a player for documents without saying why: an ordinary matter, opened as the product opens them by chance.

The matter and everything about it is of the routine: who works on it sees a player drawn by chance. That it was asked
for here stands here only.
"""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet, Denied
from audit.record import record, record_refusal
from cases.models import Case
from cases.types.monitoring import routine, services
from cases.types.monitoring.models import Investigation, Request
from cases.types.monitoring.permissions import may_work
from compliance.people.models import User


@transaction.atomic
def ask(investigation: Investigation, *, by: User) -> Request:
    """Ask for what a routine check asks for. An open matter of the kind is used: a player has one at a time."""
    fresh = services.locked(investigation)
    if not may_work(fresh, by):
        record_refusal("monitoring.ask", by=by, about=fresh, reason="no_right")
        raise Denied("no_right")
    if fresh.state in ("closed", "merged"):
        raise ConditionsNotMet([_("This investigation is closed or went on in another.")])
    case_id = _standing(fresh.customer_id) or routine.ask(fresh.customer).pk
    known = Request.objects.filter(investigation=fresh, case_id=case_id).first()
    if known is not None:
        return known
    request = Request.objects.create(investigation=fresh, case_id=case_id, asked_by=by)
    record("monitoring.ask", by=by, about=fresh, details={"case_id": str(case_id)})
    return request


def asked(investigation: Investigation) -> list[tuple[Request, Case]]:
    """Each request with the matter that it became, for the page: how far the player is."""
    rows = Request.objects.filter(investigation__in=services.whole(investigation)).order_by("asked_at")
    cases = {case.pk: case for case in Case.objects.filter(pk__in=[row.case_id for row in rows])}
    return [(row, cases[row.case_id]) for row in rows.select_related("asked_by") if row.case_id in cases]


def _standing(customer_id: Any) -> Any:
    names = [kind.name for kind in routine.kinds_that_ask()]
    open_ones = Case.objects.open().filter(customer_id=customer_id, kind__in=names)
    return open_ones.order_by("opened_at").values_list("pk", flat=True).first()
