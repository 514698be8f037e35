"""The button that stops play, for every page that shows a player."""

from typing import Any

from django.template import Library
from django.urls import reverse

from cases import protection
from cases.caseless import players_of
from cases.models import Case, Queue
from cases.permissions import WORK, granted, may

register = Library()


@register.inclusion_tag("cases/_stop_play.html")
def stop_play(case: Any, user: Any) -> dict[str, str]:
    """The button, for whoever may work on the case; nothing without a case."""
    if not isinstance(case, Case) or not user.is_authenticated or not may(user, WORK, case):
        return {"url": ""}
    return {"url": reverse("cases:stop-play", args=[case.number])}


@register.inclusion_tag("cases/_stop_play.html")
def stop_player(customer_id: Any, user: Any) -> dict[str, str]:
    """The button on a page that shows a player and no case: for whoever works at the player's licensee."""
    if not customer_id or not user.is_authenticated or not players_of(user).filter(pk=customer_id).exists():
        return {"url": ""}
    return {"url": reverse("cases:stop-player", args=[customer_id])}


@register.simple_tag
def works_on_cases(user: Any) -> bool:
    """Whether to offer acts in a list: one query for all its rows. The act itself asks for the right on its case."""
    return bool(granted(user, WORK, Queue).exists())


@register.simple_tag
def restrictions_of(case: Case) -> list[dict[str, Any]]:
    return protection.restrictions_shown(case)
