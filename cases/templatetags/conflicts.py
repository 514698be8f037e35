"""What a member of staff declared about players they know, for their own page."""

from typing import Any

from django.template import Library

from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.conflicts.queries import declared_by

register = Library()


@register.simple_tag
def conflicts_of(user: Any) -> list[ConflictOfInterest]:
    """Under any sign-in of the same person, newest first; the player by the operator's numbers only."""
    return list(declared_by(user).prefetch_related("customer__accounts").order_by("-declared_at"))
