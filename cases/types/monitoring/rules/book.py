"""The rules that are asked now, compiled once for each set of them.

A rule that breaks, while it is compiled or asked, stops no other and no counting: it is left out, said in the log of
the process, and is an alarm (`ensure_rules_work`) while it cannot be compiled, or for a day.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from django.core.cache import cache
from django.utils.translation import gettext as _

from cases.patterns import feeds
from cases.patterns.closures import Compared, Compiled, RuleBook
from cases.patterns.events import Event
from cases.patterns.state import State as Counted
from cases.types.monitoring.rules.models import Rule, State
from compliance.people.models import Licensee

_log = logging.getLogger(__name__)
BROKEN: Final = "monitoring.rules_that_broke"
_HOUR, _DAY = 3600.0, 86_400  # seconds

_books: dict[tuple[Any, ...], RuleBook] = {}
MOST_BOOKS = 32


class Asked(Compiled):
    """A version of a rule that transactions are asked against."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.definition, rule_id=rule.pk, code=rule.code)
        self.rule = rule
        self.shadow = rule.state == State.SHADOW
        self._said_at = -_HOUR

    def fires(self, event: Event, state: Counted) -> bool:
        try:
            return self.looks_at(event) and self._fires(event, state)
        except Exception:
            self._broke()
            return False

    def explain(self, event: Event, state: Counted) -> list[Compared]:
        try:
            return super().explain(event, state)
        except Exception:  # it fired all the same
            self._broke()
            return []

    def _broke(self) -> None:
        if time.monotonic() - self._said_at >= _HOUR:
            self._said_at = time.monotonic()
            say_broken(self.rule)


class RuleBroke(Exception):
    """The text is for the log, never for outsiders."""


def say_broken(rule: Rule) -> None:
    """Called where the error is handled."""
    _log.exception("The monitoring rule %s broke and was left out", rule)
    cache.set(BROKEN, sorted({*cache.get(BROKEN, []), str(rule)}), _DAY)


def ensure_rules_work() -> None:
    """Every running rule can be compiled, and none broke in the last day."""
    broken = {str(rule) for rule in Rule.objects.running() if does_not_compile(rule.definition)}
    broken |= {*cache.get(BROKEN, [])}
    if broken:
        raise RuleBroke(f"monitoring rules that broke and were left out: {', '.join(sorted(broken))}")


def does_not_compile(definition: Mapping[str, Any]) -> str:
    """Why a definition that `expressions.check` accepts still cannot be asked; "" when it can."""
    try:
        RuleBook([Compiled(definition)])
    except Exception as error:
        return _("This rule cannot be read (%(why)s).") % {"why": type(error).__name__}
    return ""


def _asked(running: list[Rule]) -> list[Asked]:
    found = []
    for rule in running:
        try:
            found.append(Asked(rule))
        except Exception:
            say_broken(rule)
    return found


def book_for(licensee: Licensee) -> RuleBook:
    """The running rules within whose scope the licensee is, and what else is counted for it. Few queries; compiled
    anew only when one changed.
    """
    running = [rule for rule in Rule.objects.running().order_by("code", "number") if applies(rule, licensee)]
    also = feeds.wanted(licensee)
    key = (*((rule.pk, rule.state) for rule in running), *((one.key, one.hours, one.days) for one in also))
    if key not in _books:
        if len(_books) >= MOST_BOOKS:
            _books.clear()
        _books[key] = RuleBook(_asked(running), also=also)
    return _books[key]


def applies(rule: Rule, licensee: Licensee) -> bool:
    scope = rule.definition.get("jurisdictions") or ()
    return not scope or licensee.jurisdiction in scope
