"""Limits in words, for pages: amounts, spans, what a change does. Language and zone are the active ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from cases.types.gaming.limits import checks
from cases.types.gaming.limits.models import PENDING, Act, Ledger, LimitChange, Measure, Span, State
from compliance import formats
from compliance.people.models import Account
from compliance.rulebook.queries import policy_of


@dataclass(frozen=True, slots=True)
class Line:
    """One limit as a page shows it. `left` is empty where nothing was counted; `ref` the receipt, or the rule's id."""

    ref: str
    source: str
    measure: str
    span: str
    amount: str
    used: str
    left: str
    until: datetime | None
    change: LimitChange | None


def amount_words(amount: int | None, currency: str) -> str:
    """Money, or time of play where there is no currency; None in words."""
    if amount is None:
        return _("no limit")
    if currency:
        return formats.money(amount, currency)
    return formats.length(timedelta(seconds=amount)) if amount else formats.duration(0, "minute")


def measure_words(measure: str) -> str:
    return str(Measure(measure).label)


def span_words(span: str) -> str:
    """How often: each day."""
    return {Span.DAY: _("each day"), Span.WEEK: _("each week"), Span.MONTH: _("each month")}[Span(span)]


def source_words(source: str) -> str:
    return {"player": _("set by the player"), "operator": _("set by us"), "law": _("set by the law")}[source]


def terms_words(change: LimitChange) -> str:
    """ "Deposits: 120.00 EUR each month"."""
    words = {
        "measure": measure_words(change.measure),
        "amount": amount_words(change.amount, change.currency),
        "span": span_words(change.span),
    }
    return _("%(measure)s: %(amount)s %(span)s") % words


def currency_of(account: Account) -> str:
    """The account's currency; "" until it is known."""
    return Ledger.objects.filter(pk=account.pk).values_list("currency", flat=True).first() or ""


def lines(account: Account) -> list[Line]:
    """Every limit in force with what is left of it now, the lowest first within a measure."""
    currency = currency_of(account) or _of_the_law(account)
    changes = {
        row.receipt: row for row in LimitChange.objects.filter(account=account, state=State.EFFECTIVE, amount__gte=0)
    }
    found: dict[tuple[str, str, str], Line] = {}
    for act in Act:
        for bound in _bounds(account, act, currency):
            unit = "" if bound.measure == Measure.SESSION else currency
            found[bound.ref, bound.measure, bound.span] = Line(
                bound.ref,
                source_words(bound.source),
                measure_words(bound.measure),
                span_words(bound.span),
                amount_words(bound.limit, unit),
                amount_words(max(0, bound.used), unit),
                amount_words(bound.left, unit),
                bound.until,
                changes.get(bound.ref),
            )
    return list(found.values())


def _of_the_law(account: Account) -> str:
    """In what the law says its amounts, for an account that has no currency yet."""
    limits = policy_of(account.licensee, on=account.licensee.today()).limits
    said = [ceiling for name in ("caps", "defaults") if limits.known(name) for ceiling in getattr(limits, name).value]
    return said[0].currency if said else ""


def _bounds(account: Account, act: Act, currency: str) -> Sequence[checks.Bound]:
    try:
        return checks.check(account, act=act, currency=currency).bounds
    except ConditionsNotMet:
        return ()


def waiting(account: Account) -> list[LimitChange]:
    """Raises that have not taken effect, the oldest first."""
    rows = LimitChange.objects.filter(account=account, state__in=PENDING, raises=True)
    return list(rows.select_related("account__licensee", "account__customer").order_by("requested_at"))


def can_confirm(change: LimitChange, at: datetime) -> bool:
    """Whether the page offers to confirm now; the act asks again."""
    ready = change.confirmable_at is not None and change.lapses_at is not None
    met = not change.requires or change.requirement_met_at is not None
    return bool(ready and met and change.confirmable_at <= at < change.lapses_at)  # type: ignore[operator]
