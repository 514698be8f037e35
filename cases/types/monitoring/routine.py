"""Routine holds: withdrawals of players drawn by chance are held for some hours or days, and then go on.

They are there so that a hold says nothing. Money that the AML side freezes is held by the same function, with the same
row, entry, code and messages; who froze it stands in that side's own tables and log. Of a frozen hold and one by
chance, everybody outside knows the same: that the product set it.
"""

import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet
from cases import kinds
from cases.models import Case
from cases.types.monitoring.models import RoutineHold
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people import restrictions
from compliance.people.models import Account, Customer, Licensee, Restriction
from compliance.people.services import restrict

STOPS, CODE, SOURCE = ("withdraw",), "check", "routine"
# Operator defaults. Enough that an employee who knows every frozen player learns nothing from a hold.
SHARE_A_DAY = 0.002  # of the players of a licensee are held
SHARE_ASKED_A_DAY = 0.0005  # are asked for papers
SHORTEST, LONGEST = timedelta(hours=2), timedelta(days=9)
THIN, WEEKS = 0.03, timedelta(days=14)  # of a few holds the length has no bound; this is what it is on average
HOST = "routine"  # holds by chance come from workers, others from the machine of a person's page
LOTTERY = secrets.SystemRandom()
# (how many wait at a licensee, do one of them): what holds a player among those that chance holds. Freezes stand above.
PLANNED: list[tuple[Callable[[Any], int], Callable[[Any], bool]]] = []
HOLD, ASK = "people.hold_drawn", "people.ask_drawn"  # read by administrators when a row is parked
IN_STEP = 5.0  # seconds: how often workers are woken for rows that are due (outbox.sweep)


@contextmanager
def as_routine() -> Iterator[None]:
    """The product does it, in a request and on a machine that say nothing, whoever it was that asked for it."""
    with context.use(context.new("task", host=HOST)), transaction.atomic():
        yield


def hold(customer: Customer) -> Restriction:
    """Hold the withdrawals of this player, as chance does. The entry names the product and a request of its own."""
    with as_routine():
        return restrict(customer, stops=STOPS, cover_code=CODE, source=SOURCE, by=system())


def standing(customer: Customer) -> Restriction | None:
    """The hold of this player that runs, locked, so that nothing ends it meanwhile. Whoever sets one asks this first:
    a player has one at a time, and who sets the next waits for this transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"routine:{customer.pk}"])
    rows = Restriction.objects.select_for_update(of=("self",)).filter(customer=customer, source=SOURCE, lifted_at=None)
    return rows.filter(until=None).order_by("starts_at").first()


def take_over(customer: Customer) -> Restriction:
    """The hold that runs, from now without an end, or a new one. Outside nothing happens where chance was first."""
    running = standing(customer)
    if running is None:
        return hold(customer)
    RoutineHold.objects.filter(restriction=running).delete()
    return running


def let_end(restriction: Restriction, *, at: datetime) -> datetime:
    """Have a hold end as one by chance: by the sweep, and not before the shortest of those. When that is."""
    ends_at = max(at, restriction.starts_at + SHORTEST)
    RoutineHold.objects.create(restriction=restriction, ends_at=ends_at)
    return ends_at


def release(restriction: Restriction) -> None:
    """Let withdrawals go on, as the end of a routine hold does."""
    with as_routine():
        restrictions.lift(restriction, by=system(), reason="routine")


def ask(customer: Customer) -> Case:
    """Ask this player for papers, as chance does: an ordinary matter. ConditionsNotMet where there is no way to ask."""
    accounts = Account.objects.filter(customer=customer, released_at=None).select_related("customer", "licensee")
    account, asking = accounts.order_by("created_at").first(), kinds_that_ask()
    if account is None or not asking:
        raise ConditionsNotMet([_("There is no account through which documents can be asked for.")])
    with as_routine():
        return asking[0].routine(account)  # type: ignore[misc, no-any-return]  # kinds_that_ask have one


def kinds_that_ask() -> list[kinds.Kind]:
    return [kind for kind in kinds.kinds().values() if kind.routine is not None]


@transaction.atomic
def draw(*, now: datetime | None = None, since: timedelta = timedelta(minutes=10)) -> int:
    """Plan for the next `since` how many players chance holds and asks for papers, each at a moment of its own: no
    minute and no second says anything. How many holds. Done every `since`, at any hour.
    """
    now, planned = now or timezone.now(), 0
    for licensee in Licensee.objects.order_by("pk"):
        of_all = _players(licensee.pk).count() * (since / timedelta(days=1))
        for kind, share in ((HOLD, SHARE_A_DAY), (ASK, SHARE_ASKED_A_DAY)):
            many = _by_chance(of_all * share)
            many += sum(waiting(licensee.pk) for waiting, _do in PLANNED) if kind == HOLD else 0
            for _one in range(many):
                post(kind, payload={"licensee_id": licensee.pk}, due_at=now + since * LOTTERY.random())
            planned += many if kind == HOLD else 0
    return planned


def end_due(*, now: datetime | None = None) -> int:
    """End the routine holds whose time is over. What was frozen has no time: it is never among them."""
    now, ended = now or timezone.now(), 0
    due = RoutineHold.objects.filter(ends_at__lte=now, restriction__lifted_at=None).order_by("ends_at")
    for pk in list(due.values_list("pk", flat=True)[:500]):
        ended += _end_one(pk, now)
    return ended


@transaction.atomic
def _end_one(pk: Any, now: datetime) -> bool:
    """Read again under the lock of the hold: it may be frozen since we looked."""
    restriction = Restriction.objects.select_for_update(of=("self",)).get(pk=pk)
    is_due = RoutineHold.objects.filter(restriction=restriction, ends_at__lte=now).exists()
    if is_due and restriction.lifted_at is None:
        release(restriction)
        return True
    return False


def _hold_one(row: OutboxRow) -> None:
    """One delivery of what `draw` planned; what it writes stands or falls with the mark that it is done."""
    _out_of_step()
    if any(do(row.payload["licensee_id"]) for _waiting, do in PLANNED):
        return
    now = timezone.now()
    held = Restriction.objects.filter(customer=OuterRef("pk"), source=SOURCE, lifted_at=None)
    customer = _anybody(_players(row.payload["licensee_id"]).exclude(Exists(held)))
    if customer is None or standing(customer) is not None:
        return
    RoutineHold.objects.create(restriction=hold(customer), ends_at=now + _length())


def _ask_one(row: OutboxRow) -> None:
    """Nobody where the one drawn has an open matter already, or the licensee has no queue for it."""
    _out_of_step()
    if customer := _anybody(_players(row.payload["licensee_id"])):
        with suppress(ConditionsNotMet):
            ask(customer)


def _players(licensee_id: Any) -> Any:
    """Everybody who can be frozen."""
    return Customer.objects.filter(licensee_id=licensee_id, erased_at=None)


def _out_of_step() -> None:
    """Rows are delivered when the sweep wakes a worker; a person's click is at any second."""
    time.sleep(IN_STEP * LOTTERY.random())


def _anybody(players: Any) -> Any:
    """Ids are drawn at random, so whoever follows a random id is anybody. One look at an index."""
    in_order = players.order_by("pk")
    return in_order.filter(pk__gte=uuid.uuid4()).first() or in_order.first()


def _by_chance(expected: float) -> int:
    """The whole part, and one more as often as the rest says."""
    whole = int(expected)
    return whole + (LOTTERY.random() < expected - whole)


def _length() -> timedelta:
    """Mostly short, some of them days long, a few of them weeks: no age of a hold is strange."""
    if LOTTERY.random() < THIN:
        return SHORTEST + WEEKS * LOTTERY.expovariate(1)
    return SHORTEST + (LONGEST - SHORTEST) * LOTTERY.random() ** 3


register(HOLD, _hold_one)
register(ASK, _ask_one)
