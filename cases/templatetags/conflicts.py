"""What a member of staff declared about players they know, for their own page."""

from typing import Any

from django.template import Library

from cases.models import ConflictOfInterest

register = Library()


@register.simple_tag
def conflicts_of(user: Any) -> list[ConflictOfInterest]:
    """Under any sign-in of the same person, newest first; the player by the operator's numbers only."""
    rows = ConflictOfInterest.objects.filter(user__human_id=user.human_id)
    return list(rows.prefetch_related("customer__accounts").order_by("-declared_at"))
