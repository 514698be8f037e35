"""Who may work inside the compartment. Nobody outside it, whatever their rights on queues."""

from typing import Any

from django.http import Http404

from audit.actors import System
from compliance.people.conflicts.queries import declared_by

INVESTIGATE, DECIDE = "monitoring.investigate", "monitoring.decide"


def may(user: Any, right: str, customer_id: Any = None) -> bool:
    """A signed-in person with the right who did not declare to know the player. Never an API key: it has no rights."""
    asked = getattr(user, "has_perm", None)
    if not (user.is_active and user.human_id is not None and asked and asked(right)):
        return False
    return customer_id is None or not declared_by(user).filter(customer_id=customer_id).exists()


def may_work(matter: Any, user: Any) -> bool:
    return may(user, INVESTIGATE, matter.customer_id)


def may_decide(matter: Any, user: Any) -> bool:
    """The reporting officer and the deputy. Whether a second person is needed is asked by the act."""
    return may(user, DECIDE, matter.customer_id)


def is_system(matter: Any, user: Any) -> bool:
    return isinstance(user, System)


def require(user: Any, right: str = INVESTIGATE) -> None:
    """Http404 to everybody else: for them there is no such page."""
    if not may(user, right):
        raise Http404("no such page")
