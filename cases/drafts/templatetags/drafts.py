"""The line below a text that keeps it while it is typed."""

from typing import Any
from uuid import uuid4

from django.forms import BoundField, Textarea
from django.template import Library

from cases.drafts.services import LONGEST, PLACED, UNKEPT, keeps_none, kept_there, mark_of, place_of
from cases.models import Case
from cases.permissions import WORK, may

register = Library()


@register.inclusion_tag("drafts/_keep.html", takes_context=True)
def kept_while_typing(context: Any, case: Case, place: str, field: Any) -> dict[str, Any]:
    """Goes inside the form: its values are sent along. `field` is the bound field that is typed in. Context: user."""
    seen = mark_of(case, place, user=context["user"])
    return {"number": case.number, "place": place, "field": field, "seen": seen, "token": uuid4()}


@register.simple_tag(takes_context=True)
def draft_of_field(context: Any, field: BoundField) -> dict[str, Any] | None:
    """What the line below any text area of staff needs, and its field filled with what was typed there last; None for
    what keeps no draft, such as every page of the AML side. Goes before the field.

    Context: request, and `case` where the page is about one.
    """
    request, widget = context.get("request"), field.field.widget
    user, longest = getattr(request, "user", None), getattr(field.field, "max_length", None)
    name = f"{type(field.form).__name__}.{field.name}"
    if not isinstance(widget, Textarea) or user is None or not user.is_authenticated or keeps_none(request.path_info):
        return None
    if name in PLACED or name in UNKEPT or longest is None or longest > LONGEST:
        return None
    case = context.get("case")
    if not isinstance(case, Case) or not may(user, WORK, case):
        case = None
    about = dict(request.resolver_match.kwargs) if request.resolver_match else {}
    if "number" in request.GET:
        about["asked"] = request.GET["number"]
    place = place_of(name, field.id_for_label, about)  # the id: a form for each row of a list has ids of its own
    text, seen = kept_there(case, place, user=user)
    if text and not field.form.is_bound:
        field.form.initial[field.name] = text
    number = case.number if case else ""
    return {"number": number, "place": place, "field": field, "seen": seen, "token": uuid4()}
