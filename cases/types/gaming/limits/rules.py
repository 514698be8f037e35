"""What the policy says of a limit asked for: which terms are possible, whether it weakens, what a raise has to pass."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from cases.types.gaming.limits import windows
from cases.types.gaming.limits.models import LimitChange, Measure, State
from compliance import formats
from compliance.people.models import Account
from compliance.policy import Policy
from compliance.policy.limits import Ceiling

LARGEST = 10**14  # minor units; a slip of the keyboard, not an amount


@dataclass(frozen=True, slots=True)
class Terms:
    """What is limited how. `amount` None: not at all."""

    measure: str
    span: str
    window: str
    basis: str
    amount: int | None


@dataclass(frozen=True, slots=True)
class Wait:
    """What a raise has to pass, as decided when it was asked for."""

    confirmable_at: datetime
    lapses_at: datetime
    rule: str
    step: int = 0
    requires: str = ""


def terms(policy: Policy, *, measure: str, span: str, window: str, amount: int | None, old: Terms | None) -> Terms:
    """The terms asked for, completed: a window that nobody named stays as it was. ConditionsNotMet names the field."""
    limits = policy.limits
    if not limits.known("measures") or measure not in limits.measures.value:  # type: ignore[union-attr]
        raise ConditionsNotMet([_("measure: %(measure)s cannot be limited here.") % {"measure": measure}])
    if span not in limits.spans.value:  # type: ignore[union-attr]
        raise ConditionsNotMet([_("span: %(span)s is not offered here.") % {"span": span}])
    offered = limits.windows[measure].value
    if window and window not in offered:
        words = {"window": window, "offered": ", ".join(offered)}
        raise ConditionsNotMet([_("window: %(window)s is not offered here. Offered: %(offered)s.") % words])
    if amount is not None and not 0 <= amount <= LARGEST:
        raise ConditionsNotMet([_("amount: not below zero, and not beyond reason.")])
    chosen = window or (old.window if old else offered[0])
    basis = {Measure.DEPOSIT: limits.deposit_basis.value, Measure.LOSS: "net"}.get(measure, "gross")  # type: ignore[union-attr,call-overload]
    return Terms(measure, span, chosen, str(basis), amount)


def weakens(new: Terms, old: Terms | None) -> bool:
    """Whether `new` could ever let more through than `old`. In doubt it does: then it waits.

    Every calendar or fixed span lies within a rolling one of its length, and gross counts whatever net does.
    """
    if old is None or old.amount is None:
        return new.amount is None
    if new.amount is None or new.amount > old.amount:
        return True
    as_long = new.window == old.window or new.window == "rolling"
    as_much = new.basis == old.basis or new.basis == "gross"
    return not (as_long and as_much)


def of(change: LimitChange) -> Terms:
    return Terms(change.measure, change.span, change.window, change.basis, change.amount)


def minor(amount: Decimal, currency: str) -> int:
    """An amount in the main unit as an integer in the minor one: 600.00 EUR is 60000, 600 JPY is 600."""
    return int(amount.scaleb(get_currency_precision(currency)))


def ceilings(policy: Policy, name: str, *, born: date | None, on: date) -> list[tuple[Ceiling, str]]:
    """Those of `caps`, `defaults` or `contact_over` that hold for a player of this birth date, with the rule's id.

    Whose age nobody knows is young.
    """
    if not policy.limits.known(name):
        return []
    rule = getattr(policy.limits, name)
    return [(each, rule.id) for each in rule.value if each.below_age is None or _younger(born, each.below_age, on)]


def _younger(born: date | None, age: int, on: date) -> bool:
    return born is None or on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < age


def default_of(policy: Policy, account: Account, measure: str, span: str, currency: str, on: date) -> Terms | None:
    """The limit that the law puts where the player set none. One in another currency counts as zero, as in checks."""
    found = None
    for ceiling, _rule in ceilings(policy, "defaults", born=account.customer.birth_date, on=on):
        if (ceiling.measure, ceiling.span) != (measure, span):
            continue
        if ceiling.currency == currency:
            return Terms(measure, span, ceiling.window, ceiling.basis, minor(ceiling.amount, currency))
        found = found or Terms(measure, span, ceiling.window, ceiling.basis, 0)
    return found


def refuse_above_cap(policy: Policy, account: Account, new: Terms, *, currency: str, on: date) -> None:
    """No limit is set above what the law caps; one that cannot be compared is not set either."""
    for ceiling, rule in ceilings(policy, "caps", born=account.customer.birth_date, on=on):
        if (ceiling.measure, ceiling.span) != (new.measure, new.span) or new.amount is None:
            continue
        if ceiling.currency != currency or new.amount > minor(ceiling.amount, currency):
            most = formats.amount(ceiling.amount, ceiling.currency)
            raise ConditionsNotMet([_("amount: at most %(most)s (%(rule)s).") % {"most": most, "rule": rule}])


def refuse_removal(policy: Policy, account: Account, new: Terms) -> None:
    """The last limit of a measure stays where the law asks for one."""
    mandatory = policy.limits.mandatory.value if policy.limits.known("mandatory") else ()  # type: ignore[union-attr]
    if new.amount is not None or new.measure not in mandatory:
        return
    others = LimitChange.objects.filter(account=account, imposed=False, measure=new.measure, state=State.EFFECTIVE)
    if not others.exclude(span=new.span).exclude(amount=None).exists():
        raise ConditionsNotMet([_("A limit of this kind is needed here: set another one first.")])


def wait(policy: Policy, account: Account, *, old: Terms, zone: ZoneInfo, anchor: datetime, at: datetime) -> Wait:
    """When a raise of `old`, asked for at `at`, may be confirmed, and until when; ConditionsNotMet: none is taken."""
    limits = policy.limits
    moments = _raised(account, old.measure)
    step, requires = len(moments), ""
    if limits.known("raise_steps"):
        steps = limits.raise_steps.value  # type: ignore[union-attr]
        rule, now = limits.raise_steps.id, steps[min(step, len(steps) - 1)]  # type: ignore[union-attr]
        if step and (rest := steps[min(step, len(steps)) - 1].then_none_for):
            _refuse_so_soon(windows.after(rest, moments[-1], zone), at, zone)
        period, requires = now.wait, now.requires
    elif limits.known("raise_wait"):
        rule, period = limits.raise_wait.id, limits.raise_wait.value  # type: ignore[union-attr]
    else:
        raise ConditionsNotMet([_("How long a raise has to wait here was verified by nobody, so none is taken.")])
    confirmable = windows.after(period, at, zone)
    if limits.known("raise_after_span") and limits.raise_after_span.value:  # type: ignore[union-attr]
        confirmable = max(confirmable, windows.end_of(old.window, old.span, at, zone=zone, anchor=anchor))
    lapses = windows.after(limits.confirm_within.value, confirmable, zone)  # type: ignore[union-attr]
    return Wait(confirmable, lapses, rule, step, requires)


def _raised(account: Account, measure: str) -> list[datetime]:
    """When raises of this measure took effect, whatever their span, oldest first."""
    rows = LimitChange.objects.filter(
        account=account, imposed=False, measure=measure, raises=True, effective_at__isnull=False
    )
    return sorted(moment for moment in rows.values_list("effective_at", flat=True) if moment)


def refuse_outdated(policy: Policy, change: LimitChange) -> None:
    """Where each raise has to pass more than the one before, one reckoned before another took effect is not taken."""
    if policy.limits.known("raise_steps") and len(_raised(change.account, change.measure)) != change.step:
        raise ConditionsNotMet([_("Another raise took effect meanwhile. Ask again.")])


def _refuse_so_soon(until: datetime, at: datetime, zone: ZoneInfo) -> None:
    if at < until:
        day = formats.day(until, zone=zone)
        raise ConditionsNotMet([_("After the last raise none is taken before %(day)s.") % {"day": day}])


def contact_due(policy: Policy, account: Account, change: LimitChange, *, on: date) -> str:
    """The rule that asks to contact the player because of this limit; "" when none does."""
    found = passed(policy, account, change, on=on)
    return found[1] if found else ""


def passed(policy: Policy, account: Account, change: LimitChange, *, on: date) -> tuple[int, str] | None:
    """The amount in minor units above which the player is contacted, and its rule, where this limit is above it."""
    for ceiling, rule in ceilings(policy, "contact_over", born=account.customer.birth_date, on=on):
        same = (ceiling.measure, ceiling.span, ceiling.currency) == (change.measure, change.span, change.currency)
        if same and change.amount is not None and change.amount > (most := minor(ceiling.amount, ceiling.currency)):
            return most, rule
    return None
