"""Panels of a page that fail alone: the rest shows, the place says that it is not available, and a box above names it.

    {% panels %} … {% panel _("Clocks") %} … {% endpanel %} … {% endpanels %}

What refuses is no failure of a panel and goes on up: a page that is not there, a right that is missing, keys or a
database that are out of reach.
"""

import logging
from contextlib import nullcontext
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import Http404
from django.template import Library, Node, NodeList
from django.template.base import FilterExpression, Parser, Token
from django.template.loader import render_to_string

from audit.perform import Denied
from compliance.keys.services import KeyUnavailable

log = logging.getLogger(__name__)
register = Library()
MISSING: Final = "panels_missing"
GO_ON_UP: Final = (Http404, PermissionDenied, Denied, KeyUnavailable, OperationalError, InterfaceError)


@register.tag
def panels(parser: Parser, token: Token) -> Node:
    """Around the panels of a page: names above them what could not be shown."""
    inside = parser.parse(("endpanels",))
    parser.delete_first_token()
    return _Panels(inside)


@register.tag
def panel(parser: Parser, token: Token) -> Node:
    """One panel, by the name that people know it by."""
    name = parser.compile_filter(token.split_contents()[1])
    inside = parser.parse(("endpanel",))
    parser.delete_first_token()
    return _Panel(name, inside)


class _Panels(Node):
    child_nodelists = ("inside",)

    def __init__(self, inside: NodeList) -> None:
        self.inside = inside

    def render(self, context: Any) -> Any:
        missing: list[str] = []
        with context.push(**{MISSING: missing}):
            shown = self.inside.render(context)
        return render_to_string("components/_missing.html", {"missing": missing}) + shown if missing else shown


class _Panel(Node):
    child_nodelists = ("inside",)

    def __init__(self, name: FilterExpression, inside: NodeList) -> None:
        self.name, self.inside = name, inside

    def render(self, context: Any) -> Any:
        # What failed in the database must not take along what is asked after it.
        apart = settings.PANELS_FAIL_ALONE and connection.in_atomic_block
        try:
            with transaction.atomic() if apart else nullcontext():
                return self.inside.render(context)
        except GO_ON_UP:
            raise
        except Exception:
            if not settings.PANELS_FAIL_ALONE:
                raise
            name = str(self.name.resolve(context))
            log.exception("a panel could not be shown: %s", name)
            context[MISSING].append(name)
            return render_to_string("components/_unavailable.html", {"name": name})
