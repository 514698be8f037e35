"""The deposit limit that a rule imposes: how low, reckoned from what the player paid in, shown line by line.

It stands beside the player's own, and the lower one counts. Where staff or the product imposed one of the same span
before, it stays: a limit reckoned anew from deposits that it held down would sink to nothing.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Sum

from audit.actors import Acts
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
    """One account. `paid_in` by the player within `past` spans, in minor units; `percent` of one span's share is
    `amount`.
    """

    account: str
    paid_in: int
    past: int
    span: str
    percent: int
    amount: int
    currency: str
    receipt: str = ""


def foreseen(customer: Customer, rule: DepositLimit, at: datetime) -> list[tuple[Account, Lowered]]:
    """What the rule would impose at this moment, by account. Reckoned for the player, in each currency, from what was
    paid in at all of their accounts, and imposed on each of them: what one holds down does not move to another. An
    account without a currency takes the one in which most was paid in. Nothing for an account where one is imposed.
    """
    sums = _paid_in(customer, rule, at)
    if not sums:
        return []
    most = max(sorted(sums), key=sums.__getitem__)
    rows = Account.objects.filter(~Exists(_imposed_on(rule.span)), customer=customer, released_at=None)
    rows = rows.select_related("licensee", "customer").order_by("pk")
    units = dict(Ledger.objects.filter(pk__in=rows.values("pk")).values_list("pk", "currency"))
    found = []
    for account in rows:
        currency = units.get(account.pk) or most
        one = _lowered(account, rule, sums.get(currency, 0), currency)
        if one.amount >= rule.least:
            found.append((account, one))
    return found


def _imposed_on(span: str) -> Any:
    """Of the account of the outer query."""
    return LimitChange.objects.filter(
        account=OuterRef("pk"), imposed=True, measure=Measure.DEPOSIT, span=span, state=State.EFFECTIVE
    )


def _paid_in(customer: Customer, rule: DepositLimit, at: datetime) -> dict[str, int]:
    """By currency, at the player's living accounts."""
    living = Account.objects.filter(customer=customer, released_at=None)
    paid = MoneyEvent.objects.filter(
        account__in=living,
        kind=Kind.DEPOSIT,
        happened_at__gt=at - rule.past * ELAPSED[rule.span],
        happened_at__lte=at,
    )
    by_account = dict(paid.values_list("account").annotate(total=Sum("amount")).order_by("account"))
    units = dict(Ledger.objects.filter(pk__in=by_account).values_list("pk", "currency"))
    sums: dict[str, int] = {}
    for pk, total in by_account.items():
        sums[units[pk]] = sums.get(units[pk], 0) + total
    return sums


def carry_to(account: Account, by: Acts) -> None:
    """An account is opened for a player on whom a rule imposed a deposit limit: it holds there too, in the transaction
    that opens it. Of several of one span the lowest.
    """
    acts = CareAction.objects.filter(customer=account.customer_id, act="limit", limits_sealed__isnull=False)
    if not acts.exists():
        return
    rows = LimitChange.objects.filter(
        account__customer=account.customer_id, account__released_at=None, imposed=True, state=State.EFFECTIVE
    )
    spans: set[str] = set()
    for row in rows.filter(measure=Measure.DEPOSIT).exclude(account=account).order_by("span", "amount", "pk"):
        if row.span not in spans and row.amount is not None:
            reduce_by_rule(account, measure=row.measure, span=row.span, amount=row.amount, currency=row.currency)
        spans.add(row.span)


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
        made = reduce_by_rule(account, matter=matter, **facts)  # type: ignore[arg-type]
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
