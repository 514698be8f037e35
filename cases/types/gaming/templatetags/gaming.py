"""What the panel of a request about play shows: effects, never what was said or noticed."""

from typing import Any

from django.template import Library

from cases.types.gaming import services
from cases.types.gaming.acts import AGREES
from cases.types.gaming.care import reckoned
from cases.types.gaming.conflicts import TABLE
from cases.types.gaming.models import GamingRequest
from compliance import formats
from compliance.people.exclusions import clock
from compliance.people.exclusions.carrying import resembling
from compliance.people.models import Account

register = Library()


@register.simple_tag
def care_of(case: GamingRequest) -> dict[str, Any]:
    """Why the player is to be talked to: what the rule compared."""
    facts = case.gaming_facts
    return {"rule": facts.rule, "lines": reckoned(facts.reckoning), "missing": case.unmet("settle")}


@register.simple_tag
def exclusion_of(case: GamingRequest) -> dict[str, Any]:
    exclusion, now = case.exclusion, clock.now()
    orders = services.unconfirmed(exclusion)
    for order in orders:
        order.is_late = bool(order.late(now))  # type: ignore[attr-defined]
    return {
        "exclusion": exclusion,
        "unconfirmed": orders,
        "duplicates": list(_duplicates(exclusion, case)),
        "missing": case.unmet("settle"),
        "meets": list(TABLE.values()),
    }


def _duplicates(exclusion: Any, case: GamingRequest) -> Any:
    """Of the case's own licensee only: what another one knows of a player stays there."""
    rows: Any = resembling(exclusion).exclude(state="over").filter(customer__licensee_id=case.licensee_id)
    for row in rows.order_by("found_at", "pk"):
        account = Account.objects.filter(customer_id=row.customer_id, released_at=None).order_by("created_at").first()
        row.reference = account.reference if account else ""
        row.agrees = formats.listed([str(AGREES[what]) for what in row.by])
        yield row
