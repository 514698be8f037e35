"""The acts on limits. A lowering holds at once; a raise waits, and only the player's own confirmation makes it hold.

Each takes the lock of the account's ledger first, so that acts and checks of one account come one after the other.
`now` is for tests of clocks: everybody else leaves it out, and the database's clock says it after the lock.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts, System, system
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import record, record_refusal
from cases.models import Case
from cases.patterns import feeds
from cases.permissions import WORK, is_key
from cases.services import require
from cases.types.gaming.limits import ledger, making, rules
from cases.types.gaming.limits.models import PENDING, LimitChange, State
from cases.types.gaming.limits.player import Player
from compliance.people import restrictions
from compliance.people.models import Account, Customer, Restriction
from compliance.rulebook.queries import policy_of

AT_ONCE = 200  # what one sweep moves; the next one takes the rest
REDUCE_REASONS: dict[str, str | Promise] = {
    "signs_of_harm": gettext_lazy("Signs of harm"),
    "affordability": gettext_lazy("More than the player can afford"),
    "player_asked": gettext_lazy("The player asked for it"),
}
BLOCK_REASONS: dict[str, str | Promise] = {
    "signs_of_harm": gettext_lazy("Signs of harm"),
    "affordability": gettext_lazy("More than the player can afford"),
    "not_the_player": gettext_lazy("Somebody else may have asked"),
}
_contacts: list[Callable[[LimitChange, int, str], None]] = []


def when_contact_is_due(follow: Callable[[LimitChange, int, str], None]) -> None:
    """Have `follow(change, threshold, rule)` called in the transaction in which a player's own limit comes to be above
    what a rule calls the threshold of contact. Who follows stands above: limits know no case.
    """
    _contacts.append(follow)


@transaction.atomic
def ask(
    account: Account,
    *,
    measure: str,
    span: str,
    amount: int | None,
    currency: str = "",
    window: str = "",
    by: Acts,
    now: datetime | None = None,
) -> LimitChange:
    """The player sets, lowers, raises or removes (`amount` None) a limit of their own.

    Effective when it lowers or is the first; waiting when it could let more through. ConditionsNotMet names the field.
    """
    _require_player(account, by, "limits.ask")
    row = ledger.locked(account)
    at = now or ledger.clock()
    currency = making.currency_of(row, measure, currency)
    policy = policy_of(account.licensee, on=account.licensee.day_of(at))
    facts = {"measure": measure, "span": span, "window": window, "amount": amount, "currency": currency}
    change = making.asked(account, policy, at=at, **facts)  # type: ignore[arg-type]
    if change.raises:
        _require_free(account, at)
        for earlier in making.pending(account, measure=measure, span=span):
            perform(earlier.supersede, by=by, at=at)
    making.keep(change, by=by)
    return perform(change.wait, by=by) if change.raises else _takes_effect(change, by=by, at=at)


@transaction.atomic
def foresee(
    account: Account, *, measure: str, span: str, amount: int | None, currency: str = "", window: str = "", by: Acts
) -> LimitChange:
    """What `ask` would do, saved nowhere: whether it holds at once, and else from when it may be confirmed."""
    _require_player(account, by, "limits.ask")
    at = ledger.clock()
    policy = policy_of(account.licensee, on=account.licensee.day_of(at))
    facts = {"measure": measure, "span": span, "window": window, "amount": amount, "currency": currency}
    change = making.asked(account, policy, at=at, **facts)  # type: ignore[arg-type]
    if change.raises:
        _require_free(account, at)
    return change


@transaction.atomic
def confirm(change: LimitChange, *, by: Acts, now: datetime | None = None) -> LimitChange:
    """The player wants the raise still. ConditionsNotMet while it waits, after its time, or while something stands
    against it; WrongState when it is over.
    """
    _require_player(change.account, by, "limits.confirm")
    ledger.locked(change.account)
    at = now or ledger.clock()
    fresh = making.fresh(change)
    if fresh.state == State.WAITING and fresh.confirmable_at and at >= fresh.confirmable_at:
        fresh = perform(fresh.open, by=system(), at=at)
    if fresh.state == State.CONFIRMABLE:
        _require_free(fresh.account, at)
        day = fresh.account.licensee.day_of(at)
        policy = policy_of(fresh.account.licensee, on=day)
        rules.refuse_outdated(policy, fresh)
        rules.refuse_above_cap(policy, fresh.account, rules.of(fresh), currency=fresh.currency, on=day)
        rules.refuse_removal(policy, fresh.account, rules.of(fresh))
        making.replace(fresh, by=by, at=at)
    elif fresh.state == State.WAITING:
        raise ConditionsNotMet([_("The waiting time is not over.")])
    done: LimitChange = perform(fresh.confirm, by=by, at=at)
    feeds.changed([done.account.customer_id])
    _contact(done, at)
    return done


@transaction.atomic
def withdraw(change: LimitChange, *, by: Acts, now: datetime | None = None) -> LimitChange:
    """The player wants the raise no longer: the limit stays as it is."""
    _require_player(change.account, by, "limits.cancel")
    ledger.locked(change.account)
    return perform(making.fresh(change).cancel, by=by, at=now or ledger.clock(), reason="withdrawn")  # type: ignore[no-any-return]


@transaction.atomic
def reduce(
    case: Case,
    *,
    measure: str,
    span: str,
    amount: int,
    currency: str,
    by: Acts,
    reason: str,
    now: datetime | None = None,
) -> LimitChange:
    """Staff put a limit beside the player's own, at once; the lower one counts. They never raise."""
    require(WORK, case, by=by, action="limits.ask")
    _require_reason(reason, REDUCE_REASONS)
    change = _imposed(case.account, measure=measure, span=span, amount=amount, currency=currency, now=now)
    if change.raises:
        raise ConditionsNotMet([_("amount: staff may only reduce. Enter less than what is in force.")])
    making.keep(change, by=by, reason=reason, matter=case.number)
    return _takes_effect(change, by=by, at=change.requested_at, reason=reason)


@transaction.atomic
def reduce_by_rule(
    account: Account,
    *,
    measure: str,
    span: str,
    amount: int,
    currency: str,
    matter: str | None = None,
    now: datetime | None = None,
) -> LimitChange | None:
    """The product puts a limit beside the player's own, as staff do, and it only lowers. None where one as low is
    imposed already, or one that cannot be compared (another window or basis). Its entry names no cause: that is kept
    where it may be read.
    """
    ledger.locked(account)
    former = making.standing(account, measure, span, imposed=True)
    if former is not None and former.amount is not None and former.amount <= amount:
        return None
    change = _imposed(account, measure=measure, span=span, amount=amount, currency=currency, now=now)
    if change.raises:
        return None
    making.keep(change, by=system(), matter=matter)
    return _takes_effect(change, by=system(), at=change.requested_at)


def _imposed(
    account: Account, *, measure: str, span: str, amount: int, currency: str, now: datetime | None
) -> LimitChange:
    row = ledger.locked(account)
    at = now or ledger.clock()
    policy = policy_of(account.licensee, on=account.licensee.day_of(at))
    facts = {"measure": measure, "span": span, "window": "", "amount": amount}
    currency = making.currency_of(row, measure, currency)
    return making.asked(account, policy, currency=currency, at=at, imposed=True, **facts)  # type: ignore[arg-type]


@transaction.atomic
def block(case: Case, change: LimitChange, *, by: Acts, reason: str, now: datetime | None = None) -> LimitChange:
    """Staff stop a raise that has not taken effect."""
    require(WORK, case, by=by, action="limits.block")
    _require_reason(reason, BLOCK_REASONS)
    ledger.locked(change.account)
    return perform(making.fresh(change).block, by=by, at=now or ledger.clock(), reason=reason)  # type: ignore[no-any-return]


@transaction.atomic
def meet_requirement(change: LimitChange, *, by: Acts, now: datetime | None = None) -> LimitChange:
    """What the law asks for before the raise was done: the platform says so of a test, staff of a review."""
    account = change.account
    ledger.locked(account)
    fresh = making.fresh(change)
    if fresh.state not in PENDING or not fresh.requires:
        raise ConditionsNotMet([_("Nothing is asked for before this raise.")])
    tested = fresh.requires == "test" and is_key(by) and by.licensee_id == account.licensee_id  # type: ignore[attr-defined]
    reviewed = fresh.requires == "history_review" and _works_on(account, by)
    if not (tested or reviewed):
        _refuse("limits.meet", by, account)
    if fresh.requirement_met_at is None:
        fresh.requirement_met_at = now or ledger.clock()
        fresh.save(update_fields=["requirement_met_at"])
        record("limits.meet", by=by, about=fresh, details={"requires": fresh.requires})
    return fresh


@transaction.atomic
def cancel_raises(customer: Customer, *, by: Acts, reason: str, now: datetime | None = None) -> int:
    """Every raise of the player that waits is cancelled, in all accounts: an exclusion or a time-out came. How many."""
    cancelled = 0
    for account in Account.objects.filter(customer=customer).order_by("pk"):
        ledger.locked(account)
        cancelled += making.cancel_waiting(account, at=now or ledger.clock(), reason=reason)
    return cancelled


def sweep(now: datetime | None = None) -> int:
    """Open what waited long enough, lapse what nobody confirmed, cancel what waits while play or deposits are stopped.

    Twice does nothing. How many moved.
    """
    at, moved = now or ledger.clock(), 0
    for change in _stopped(at).select_related("account")[:AT_ONCE]:
        moved += _cancelled_by_a_stop(change, at)
    due = LimitChange.objects.filter(state=State.WAITING, confirmable_at__lte=at).order_by("confirmable_at")
    for change in due.select_related("account")[:AT_ONCE]:
        moved += _swept(change, State.WAITING, "open", at)
    over = LimitChange.objects.filter(state=State.CONFIRMABLE, lapses_at__lte=at).order_by("lapses_at")
    for change in over.select_related("account")[:AT_ONCE]:
        moved += _swept(change, State.CONFIRMABLE, "lapse", at)
    return moved


def _stopped(at: datetime) -> Any:
    """Raises that wait though their player is kept out: an exclusion, a time-out, a stop."""
    reach = Q(account=OuterRef("account")) | Q(customer=OuterRef("account__customer"))
    reach |= Q(person=OuterRef("account__customer__person"))
    running = (Q(until=None) | Q(until__gt=at)) & (Q(stops_play=True) | Q(stops_deposit=True))
    rows = Restriction.objects.filter(reach, running, lifted_at=None, starts_at__lte=at)
    return LimitChange.objects.filter(Exists(rows), state__in=PENDING, raises=True).order_by("requested_at")


@transaction.atomic
def _cancelled_by_a_stop(change: LimitChange, at: datetime) -> int:
    ledger.locked(change.account)
    fresh = making.fresh(change)
    if fresh.state not in PENDING:
        return 0  # somebody else was quicker
    perform(fresh.cancel, by=system(), at=at, reason="play_stopped")
    return 1


@transaction.atomic
def _swept(change: LimitChange, state: str, move: str, at: datetime) -> int:
    ledger.locked(change.account)
    fresh = making.fresh(change)
    if fresh.state != state:
        return 0  # somebody else was quicker
    perform(fresh.open if move == "open" else fresh.lapse, by=system(), at=at)
    return 1


# ------------------------------------------------------------------------------------------- what acts are made of
def _takes_effect(change: LimitChange, *, by: Acts, at: datetime, reason: str | None = None) -> LimitChange:
    """At once, in the place of what was in force; whoever lowers a limit waits for no raise any more."""
    making.replace(change, by=by, at=at)
    making.cancel_waiting(change.account, at=at, reason="lowered")
    done: LimitChange = perform(change.take_effect, by=by, at=at, reason=reason)
    _contact(done, at)
    return done


def _contact(change: LimitChange, at: datetime) -> None:
    """What staff imposed needs no contact: they had it."""
    licensee = change.account.licensee
    day = licensee.day_of(at)
    found = None if change.imposed else rules.passed(policy_of(licensee, on=day), change.account, change, on=day)
    for follow in _contacts if found else ():
        follow(change, *found)  # type: ignore[misc]


def _require_player(account: Account, by: Acts, action: str) -> None:
    own = isinstance(by, Player) and by.account_id == account.pk
    if not (own or (is_key(by) and by.licensee_id == account.licensee_id)):  # type: ignore[attr-defined]
        _refuse(action, by, account)


def _works_on(account: Account, by: Acts) -> bool:
    if isinstance(by, Player | System) or is_key(by):
        return False
    return bool(Case.objects.allowed_to(by, WORK).filter(customer_id=account.customer_id).exists())


def _refuse(action: str, by: Acts, account: Account) -> None:
    record_refusal(action, by=by, about=account, reason="no_right")
    raise Denied("no_right")


def _require_free(account: Account, at: datetime) -> None:
    """Nobody raises a limit while play or deposits are stopped, whatever stopped them."""
    rows = restrictions.in_force(account.customer, account=account, at=at)
    if rows.filter(stops_play=True).exists() or rows.filter(stops_deposit=True).exists():
        raise ConditionsNotMet([_("This is not possible while play or deposits are stopped.")])


def _require_reason(reason: str, known: dict[str, str | Promise]) -> None:
    if reason not in known:
        raise ConditionsNotMet([_("Choose a reason.")])
