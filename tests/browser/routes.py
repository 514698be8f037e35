"""The addresses of the product that people use, from its URL conf: no list that somebody could forget to extend."""

import re

from django.urls import URLPattern, URLResolver, get_resolver

from audit.access import Rule, rule_of

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Patterns written as regular expressions, which cannot be filled in.
BY_HAND = ("/accounts/password/reset/key/1-set-password/",)


class _Match:
    def __init__(self, pattern):
        self.func, self.view_name = pattern.callback, pattern.name


def _routes(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(getattr(pattern.pattern, "_route", ""))
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "_route" in vars(pattern.pattern):
            yield "/" + route, rule_of(_Match(pattern))


def public(rule):
    """For visitors."""
    return rule == Rule.PUBLIC


def signed_in(rule):
    """For everybody who works here; what one sees is asked inside."""
    return rule == Rule.SIGNED_IN


def granted(rule):
    """For who holds a permission."""
    return rule not in tuple(Rule)


def addresses(wanted, values):
    """Every address whose rule is wanted, filled in with `values`. Whether it shows a page is found out by asking."""
    found = [
        PARAMETER.sub(lambda match: str(values[match[1]]), route)
        for route, rule in _routes(get_resolver().url_patterns)
        if wanted(rule)
    ]
    return sorted([*found, *BY_HAND] if wanted is public else found)
