"""The deposit limit that a rule imposes: how low, reckoned from what the player paid in, shown line by line.

It stands beside the player's own, and the lower one counts. Where staff or the product imposed one of the same span
before, it stays: a limit reckoned anew from deposits that it held down would sink to nothing.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Sum

from cases.types.gaming.limits import ledger
from cases.types.gaming.limits.models import Kind, Ledger, LimitChange, Measure, MoneyEvent, State
from cases.types.gaming.limits.services import reduce_by_rule
from cases.types.gaming.limits.windows import ELAPSED
from cases.types.gaming.markers.models import CareAction
from compliance.keys.services import open_sealed, seal
from compliance.people.models import Account, Customer
from compliance.policy.marker_rules import DepositLimit

LIMITS: Final = "markers.limits"


@dataclass(frozen=True, slots=True)
class Lowered:
    """One account. `paid_in` within `past` spans, in minor units; `percent` of one span's share is `amount`."""

    account: str
    paid_in: int
    past: int
    span: str
    percent: int
    amount: int
    currency: str
    receipt: str = ""


def foreseen(customer: Customer, rule: DepositLimit, at: datetime) -> list[tuple[Account, Lowered]]:
    """What the rule would impose at this moment, by account; nothing where nothing was paid in or one is imposed."""
    imposed = LimitChange.objects.filter(
        account=OuterRef("pk"), imposed=True, measure=Measure.DEPOSIT, span=rule.span, state=State.EFFECTIVE
    )
    accounts = Account.objects.filter(~Exists(imposed), customer=customer, released_at=None)
    rows = {one.pk: one for one in accounts.select_related("licensee", "customer")}
    paid = MoneyEvent.objects.filter(
        account__in=rows, kind=Kind.DEPOSIT, happened_at__gt=at - rule.past * ELAPSED[rule.span], happened_at__lte=at
    )
    sums = dict(paid.values_list("account").annotate(total=Sum("amount")).order_by("account"))
    units = dict(Ledger.objects.filter(pk__in=sums).values_list("pk", "currency"))
    return [(rows[pk], _lowered(rows[pk], rule, total, units[pk])) for pk, total in sums.items()]


def _lowered(account: Account, rule: DepositLimit, paid_in: int, currency: str) -> Lowered:
    amount = rule.amount(paid_in)
    return Lowered(account.reference, paid_in, rule.past, rule.span, rule.percent, amount, currency)


def hold(customer: Customer) -> None:
    """Lock what checks and limits lock first: before a case is opened, as everybody does."""
    for account in Account.objects.filter(customer=customer, released_at=None).order_by("pk"):
        ledger.locked(account)


def impose(customer: Customer, rule: DepositLimit, at: datetime, *, matter: str | None) -> list[dict[str, Any]]:
    """Impose it, in the transaction that holds the ledgers. What was imposed, as it is kept."""
    found = []
    for account, one in foreseen(customer, rule, at):
        facts = {"measure": Measure.DEPOSIT, "span": one.span, "amount": one.amount, "currency": one.currency}
        made = reduce_by_rule(account, matter=matter, now=at, **facts)  # type: ignore[arg-type]
        if made is not None:
            found.append(asdict(one) | {"receipt": made.receipt})
    return found


def sealed(action: CareAction, imposed: list[dict[str, Any]]) -> bytes:
    """Under the player's key, for the action's row."""
    return seal(action.audit_subject, LIMITS, json.dumps(imposed).encode(), aad=action.pk.bytes)


def imposed_by(action: CareAction) -> list[Lowered]:
    """What the act imposed, with its arithmetic. Who reads it was asked above."""
    if action.limits_sealed is None:
        return []
    kept = open_sealed(action.audit_subject, LIMITS, bytes(action.limits_sealed), aad=action.pk.bytes)
    return [Lowered(**one) for one in json.loads(kept)]
