"""The line below a text that keeps it while it is typed."""

from typing import Any

from django.template import Library

from cases.models import Case

register = Library()


@register.inclusion_tag("drafts/_keep.html")
def kept_while_typing(case: Case, place: str, field: Any) -> dict[str, Any]:
    """Goes inside the form: its values are sent along. `field` is the bound field that is typed in."""
    return {"number": case.number, "place": place, "field": field}
