"""The bell of every staff page."""

from typing import Any

from django.template import Library

from cases.models import Case
from cases.notices.services import read_case, unread_count
from compliance.formats import COUNTED
from compliance.people.access.sessions import session_ends
from compliance.people.models import User

register = Library()


@register.inclusion_tag("notices/_bell.html", takes_context=True)
def bell(context: Any) -> dict[str, Any]:
    """Nothing for visitors."""
    user = context.get("user")
    if not isinstance(user, User) or not user.is_active or not context.get("shell"):
        return {"count": None}
    return {"count": unread_count(user, up_to=COUNTED), "ends": session_ends(context.get("request"))}


@register.simple_tag(takes_context=True)
def notices_read(context: Any, case: Case) -> str:
    """Who opens the page of a case has read its notices."""
    read_case(case, user=context["user"])
    return ""
