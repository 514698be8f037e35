"""Transactions for tests: made through the product's own door, counted by its own worker."""

from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from cases.types.monitoring.rules import counting, services
from cases.types.monitoring.rules.models import Rule, State
from cases.types.monitoring.transactions.reading import Row
from cases.types.monitoring.transactions.services import accept

START = datetime(2026, 9, 1, 12, tzinfo=UTC)


def row(account, number, kind="deposit", amount=5000, *, after=timedelta(), currency="EUR", **facts):
    """One transaction, `after` the start of the tests' history."""
    reference = getattr(account, "reference", account)
    return Row(f"tx-{reference}-{number}", reference, kind, amount, currency, START + after, **facts)


def report(licensee, rows, *, by, count=True):
    """Accept rows as the platform sends them, and let the worker count them."""
    found = accept(licensee, rows, by=by)
    if count:
        counting.count_waiting()
    return found


def a_rule(code="T01", *, by, live=True, severity="high", **definition):
    """A version of a rule; live without its proposal, which has tests of its own."""
    given = {
        "on": ["deposit"],
        "when": {"ge": [{"count": "deposits", "within": "24h"}, {"param": "n"}]},
        "parameters": {"n": {"type": "number", "value": 3, "words": "deposits"}},
        "cool_down_hours": 24,
    }
    rule = services.write(code, title=f"Test {code}", severity=severity, definition=given | definition, by=by)
    if live:
        QuerySet.update(Rule.objects.filter(pk=rule.pk), state=State.LIVE, live_from=START)
    return Rule.objects.get(pk=rule.pk)
