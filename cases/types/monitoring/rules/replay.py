"""See a flag fire again: the same version of the rule and the same transactions give the same flag."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import override

from cases.patterns import words
from cases.patterns.closures import Compiled, RuleBook
from cases.patterns.events import COLUMNS, Event
from cases.patterns.state import State
from cases.types.monitoring.rules.flags import contributing
from cases.types.monitoring.rules.models import FlagFacts
from cases.types.monitoring.transactions.models import Transaction


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the rule says now of what was known then."""

    fired: bool
    values: dict[str, Any]
    sentence: str
    parameters: dict[str, Any]


def replay(flag: FlagFacts) -> Replayed | None:
    """None when the transaction at which it fired is no longer kept."""
    rule = Compiled(flag.rule.definition, rule_id=flag.rule_id, code=flag.code)
    book, state = RuleBook([rule]), State()
    rows = Transaction.objects.filter(customer_id=flag.customer_id, nth__lte=flag.seen).order_by("at", "id")
    for row in rows.values_list(*COLUMNS):
        event = Event(row, flag.licensee.zone)
        book.take(event, state)
        if event.id == flag.trigger:
            compared = words.as_values(rule.explain(event, state))
            with override("en"):
                said = words.sentence(rule.definition, compared, event.currency)
            values = {"compared": compared, "currency": event.currency, "amount": event.amount}
            return Replayed(rule.fires(event, state), values, said, rule.values)
    return None


def contributors(flag: FlagFacts) -> list[UUID]:
    """The transactions that the rule counts now at the flag's trigger."""
    rule = Compiled(flag.rule.definition, rule_id=flag.rule_id, code=flag.code)
    row = Transaction.objects.filter(pk=flag.trigger, at=flag.trigger_at).values_list(*COLUMNS).first()
    return contributing(rule, Event(row, flag.licensee.zone), zone=flag.licensee.zone)[0] if row else []
