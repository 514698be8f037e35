"""Links of the log's pages: a click on a value narrows the list to it."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from audit.names import names

register = template.Library()


@register.simple_tag(takes_context=True)
def narrowed(context: Any, **filters: object) -> str:
    """The list's address with these filters added to those that are set. A page back or forth starts anew."""
    given = dict(context.get("given") or {}) | ({"zone": "utc"} if context.get("in_utc") else {})
    return f"{reverse('audit:entries')}?{urlencode(given | filters)}"


@register.filter
def called(value: str, kind: str) -> str:
    """The name of an id or code of this kind; itself where nobody knows one."""
    return names([(kind, value)]).get((kind, value), value)
