"""What acts on limits are made of: a change as it was asked for, what it replaces, what waits beside it.

Each runs in the transaction of an act (`services.py`) that holds the lock of the account's ledger.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, perform
from audit.record import record
from cases.types.gaming.limits import ledger, rules
from cases.types.gaming.limits.models import PENDING, LimitChange, Measure, State
from compliance.people.models import Account
from compliance.policy import Policy


def asked(
    account: Account,
    policy: Policy,
    *,
    measure: str,
    span: str,
    window: str,
    amount: int | None,
    currency: str,
    at: datetime,
    imposed: bool = False,
) -> LimitChange:
    """The change, not saved: its terms, whether it raises, and the wait as decided now."""
    day = account.licensee.day_of(at)
    former = standing(account, measure, span, imposed=imposed)
    old = rules.of(former) if former else None
    if not imposed and (old is None or old.amount is None):
        old = rules.default_of(policy, account, measure, span, currency, day) or old
    new = rules.terms(policy, measure=measure, span=span, window=window, amount=amount, old=old)
    if old is not None and new == old and former is not None:
        raise ConditionsNotMet([_("This limit is in force already.")])
    raises = rules.weakens(new, old)
    own_zone = ZoneInfo(account.time_zone)
    # A lowering keeps the zone and the beginning of the limit it replaces: moving them could begin a stretch anew.
    zone = former.zone_info if former and not raises else own_zone
    anchor = former.anchor_at if former else at
    change = LimitChange(
        account=account,
        imposed=imposed,
        measure=new.measure,
        span=new.span,
        window=new.window,
        basis=new.basis,
        amount=new.amount,
        currency=currency,
        zone=zone.key,
        anchor_at=anchor,
        raises=raises,
        requested_at=at,
        policy_version=policy.version,
    )
    if raises and not imposed:
        _decide_wait(change, policy, old or new, anchor=anchor, at=at, on=day)
    return change


def _decide_wait(
    change: LimitChange, policy: Policy, old: rules.Terms, *, anchor: datetime, at: datetime, on: Any
) -> None:
    new = rules.of(change)
    rules.refuse_above_cap(policy, change.account, new, currency=change.currency, on=on)
    rules.refuse_removal(policy, change.account, new)
    if old.amount is None:
        raise ConditionsNotMet([_("There is no limit to remove.")])
    wait = rules.wait(policy, change.account, old=old, zone=change.zone_info, anchor=anchor, at=at)
    change.confirmable_at, change.lapses_at = wait.confirmable_at, wait.lapses_at
    change.rule, change.step, change.requires = wait.rule, wait.step, wait.requires


def keep(change: LimitChange, *, by: Acts, reason: str | None = None, matter: str | None = None) -> None:
    """Save what was asked for, with its entry."""
    change.save(force_insert=True)
    names = ("measure", "span", "window", "basis", "amount", "currency", "raises", "imposed", "policy_version", "rule")
    said = {name: getattr(change, name) for name in (*names, "confirmable_at", "lapses_at")}
    details = {name: value for name, value in said.items() if value not in (None, "")}
    record("limits.ask", by=by, about=change, reason=reason, details=details, matter=matter)


def replace(change: LimitChange, *, by: Acts, at: datetime) -> None:
    """Whatever holds of the same measure and span makes room; a player's own and an imposed one stand side by side."""
    former = standing(change.account, change.measure, change.span, imposed=change.imposed)
    if former is not None:
        perform(former.supersede, by=by, at=at)


def cancel_waiting(account: Account, *, at: datetime, reason: str) -> int:
    """No raise of the account waits any more. How many did."""
    raises = list(pending(account))
    for change in raises:
        perform(change.cancel, by=system(), at=at, reason=reason)
    return len(raises)


def pending(account: Account, **facts: str) -> Any:
    """Raises of the account that have not taken effect."""
    return LimitChange.objects.filter(account=account, state__in=PENDING, raises=True, **facts)


def standing(account: Account, measure: str, span: str, *, imposed: bool) -> LimitChange | None:
    """The limit in force: the player's own, or the one that was imposed."""
    rows = LimitChange.objects.filter(account=account, imposed=imposed, measure=measure, span=span)
    found: LimitChange | None = rows.filter(state=State.EFFECTIVE).first()
    return found


def fresh(change: LimitChange) -> LimitChange:
    """As it is under the lock."""
    return LimitChange.objects.select_related("account__licensee", "account__customer").get(pk=change.pk)


def currency_of(row: Any, measure: str, currency: str) -> str:
    """The account's currency, which the first amount decides; "" of time of play."""
    if measure == Measure.SESSION:
        return ""
    if not currency:
        raise ConditionsNotMet([_("currency: name it, such as EUR.")])
    ledger.settle_currency(row, currency)
    return currency
