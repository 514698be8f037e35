"""The account's money and time of play as events, and room set aside for what is on its way.

Who changes what a check counts holds the lock of the account's `Ledger` row, so that of many at once each sees what the
one before did. Moments come from the database's clock, read after the lock: web machines may disagree about the time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.patterns import feeds
from cases.types.gaming.limits.models import Kind, Ledger, MoneyEvent, Reservation
from compliance.people.models import Account

MOST_EVENTS = 500
LARGEST = 10**14
AHEAD = timedelta(minutes=5)  # by so much a platform's clock may be before ours


class OtherCurrency(ConditionsNotMet):
    """The account's limits and money are in another currency; amounts of two are never added."""


class EventDiffers(ConditionsNotMet):
    """The same source id was reported before with another kind, amount or time."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One thing that happened, as the platform says it. `happened_at` is aware; of time of play it is the end."""

    source_id: str
    kind: str
    amount: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """How many events were new, and how many known already."""

    new: int
    known: int


def clock() -> datetime:
    """Now, by the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def locked(account: Account) -> Ledger:
    """The account's ledger, locked until the transaction ends."""
    Ledger.objects.bulk_create([Ledger(account=account)], ignore_conflicts=True)
    return Ledger.objects.select_for_update(of=("self",)).get(pk=account.pk)


def settle_currency(ledger: Ledger, currency: str) -> None:
    """The first amount decides the account's currency; another one is refused ever after."""
    if not ledger.currency:
        ledger.currency = currency
        ledger.save(update_fields=["currency"])
    elif ledger.currency != currency:
        words = {"known": ledger.currency, "given": currency}
        raise OtherCurrency([_("currency: this account is in %(known)s, not in %(given)s.") % words])


_followers: list[Callable[[Account, datetime], None]] = []


def when_paid_in(follow: Callable[[Account, datetime], None]) -> None:
    """Have `follow(account, now)` called in the transaction that keeps a deposit. Who follows stands above."""
    _followers.append(follow)


@transaction.atomic
def take(account: Account, currency: str, events: Sequence[Reported], *, by: Acts) -> Taken:
    """Keep what happened. What was reported before is known and changes nothing; one that differs refuses them all.

    A fact is kept even where it passes a limit: the money has moved. Room set aside under the same id is settled.
    """
    ledger = locked(account)
    settle_currency(ledger, currency)
    now = clock()
    _refuse_nonsense(events, now)
    known = {row.source_id: row for row in _known(account, events)}
    for event in events:
        if event.source_id in known and not _same(known[event.source_id], event):
            raise EventDiffers([_("source_id: %(id)s was reported with other facts.") % {"id": event.source_id}])
    fresh = [event for event in events if event.source_id not in known]
    if fresh:
        MoneyEvent.objects.bulk_create(
            MoneyEvent(
                account=account,
                kind=event.kind,
                amount=event.amount,
                happened_at=event.happened_at,
                source_id=event.source_id,
            )
            for event in fresh
        )
        _settle(account, (event.source_id for event in fresh), now)
        details = {"events": len(fresh), "kinds": sorted({event.kind for event in fresh})}
        record("limits.take_events", by=by, about=account, details=details)
        paid_in = any(event.kind == Kind.DEPOSIT for event in fresh)
        for follow in _followers if paid_in else ():
            follow(account, now)
        if any(event.kind in (Kind.SESSION, Kind.WITHDRAWAL_CANCELLED) for event in fresh):
            feeds.changed([account.customer_id])  # the rest of what markers look at comes as transactions
    return Taken(len(fresh), len(events) - len(fresh))


def _refuse_nonsense(events: Sequence[Reported], now: datetime) -> None:
    problems = []
    if len(events) > MOST_EVENTS:
        problems.append(_("events: at most %(most)d at once.") % {"most": MOST_EVENTS})
    if len({event.source_id for event in events}) < len(events):
        problems.append(_("events: a source_id stands there twice."))
    for place, event in enumerate(events):
        if event.kind not in Kind.values:
            problems.append(_("events[%(place)d].kind: not known.") % {"place": place})
        if not 0 < event.amount <= LARGEST:
            problems.append(_("events[%(place)d].amount: above zero, in minor units or seconds.") % {"place": place})
        if event.happened_at > now + AHEAD:
            problems.append(_("events[%(place)d].at: lies in the future.") % {"place": place})
    if problems:
        raise ConditionsNotMet(problems)


def _known(account: Account, events: Sequence[Reported]) -> Iterable[MoneyEvent]:
    return MoneyEvent.objects.filter(account=account, source_id__in=[event.source_id for event in events])


def _same(row: MoneyEvent, event: Reported) -> bool:
    return (row.kind, row.amount, row.happened_at) == (event.kind, event.amount, event.happened_at)


def _settle(account: Account, source_ids: Iterable[str], now: datetime) -> None:
    running = Reservation.objects.filter(account=account, source_id__in=list(source_ids), settled_at=None)
    running.update(settled_at=now)


@transaction.atomic
def release(account: Account, source_id: str, *, by: Acts) -> bool:
    """Give room back: the payment came to nothing. Whether there was any; twice changes nothing."""
    locked(account)
    row = Reservation.objects.filter(account=account, source_id=source_id, settled_at=None, released_at=None).first()
    if row is None:
        return False
    row.released_at = clock()
    row.save(update_fields=["released_at"])
    record("limits.release", by=by, about=row, details={"act": row.act})
    return True
