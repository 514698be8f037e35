"""What the page of an investigation shows of the player's money."""

from typing import Any

from django.template import Library

from cases.types.monitoring import money
from cases.types.monitoring.models import Investigation

register = Library()


@register.inclusion_tag("monitoring/_money.html")
def money_view(investigation: Investigation) -> dict[str, Any]:
    """Deposits, withdrawals and bets over time with the days of flags, as drawing and as table."""
    return {
        "views": money.views_of(investigation),
        "instruments": money.instruments_of(investigation),
        "linked": money.linked(investigation),
        "counterparties": money.counterparties(investigation),
    }
