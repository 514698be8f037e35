"""From money that moved to a verification that asks for what the law wants at an amount.

Life of it: counted (`Look`, in the transaction that counts) -> added up here -> reached (`Crossing`, once for each
player, level and version of the policy) -> a verification is opened, or the open one asks for more.

A withdrawal asks for nothing: where it is what reaches an amount, that is written down, and asked for when the player
next pays in or plays (GB.KYC.NO_WITHDRAWAL_TRAP; no law is taken to allow it).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, Min, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from audit.actors import system
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.types.verification import raising, requirements, reviews, services
from cases.types.verification.amounts import laws
from cases.types.verification.amounts.adding import Line, Reached, first_reached, starts
from cases.types.verification.amounts.models import Crossing, Look
from cases.types.verification.models import Because, Verification
from compliance.people.models import Account, Customer
from compliance.people.moving import DEPOSIT, STAKE, WITHDRAWAL, Movement, movements
from compliance.rulebook.queries import policy_at

RUN_FOR: Final = timedelta(seconds=60)
AT_ONCE: Final = 200  # players a run takes at most before it looks again
AGAIN_AFTER: Final = timedelta(minutes=1)  # times the number of attempts
LATEST: Final = 60  # attempts after which it is tried once an hour
NEWLY: Final = timedelta(minutes=1)
_SWEEP: Final = 0x4D5A_0004  # among PostgreSQL's advisory locks

Became = Crossing.Became
_log = logging.getLogger(__name__)


def add_up(*, run_for: timedelta = RUN_FOR) -> int:
    """Every player of whom transactions were counted. How many. One that fails keeps no other waiting."""
    done, until = 0, monotonic() + run_for.total_seconds()
    while monotonic() < until:
        due = Look.objects.filter(due_at__lte=Now()).values("customer_id").annotate(first=Min("due_at"))
        players = list(due.order_by("first").values_list("customer_id", flat=True)[:AT_ONCE])
        for customer_id in players:
            done += _tried(customer_id)
        if len(players) < AT_ONCE:
            break
    return done


def _tried(customer_id: UUID) -> int:
    try:
        return int(_add_up(customer_id))
    except (OperationalError, InterfaceError):
        raise  # the database is away: all of it waits where it is
    except Exception:
        _log.exception("What a player moved could not be added up")
        for look in Look.objects.filter(customer_id=customer_id, due_at__lte=Now()):
            wait = AGAIN_AFTER * min(look.attempts + 1, LATEST)
            Look.objects.filter(pk=look.pk).update(attempts=F("attempts") + 1, due_at=timezone.now() + wait)
        return 0


@transaction.atomic
def _add_up(customer_id: UUID) -> bool:
    # The lock makes two workers wait for each other; the second finds nothing left to add up.
    rows = Customer.objects.select_for_update(of=("self",)).select_related("licensee")
    customer = rows.filter(pk=customer_id).first()
    looks = list(Look.objects.filter(customer_id=customer_id, due_at__lte=Now()))
    if customer is not None and customer.erased_at is None and looks:
        _look(customer, min(look.since for look in looks))
    Look.objects.filter(pk__in=[look.pk for look in looks]).delete()
    return bool(looks)


def _look(customer: Customer, since: datetime) -> None:
    for stretch in laws.stretches(customer.licensee, since):
        level = laws.level_asked(stretch.policy, customer.risk)
        if not laws.has(stretch.policy, customer, level):
            _look_under(customer, stretch, level, max(since, stretch.since))
    for crossing in Crossing.objects.filter(customer=customer, outcome=Became.WAITS).order_by("crossed_at"):
        _follow(customer, crossing)


def _look_under(customer: Customer, stretch: laws.Stretch, level: str, since: datetime) -> None:
    """Under one version of the policy: the first amount reached since a moment, or an earlier one than is known."""
    version = stretch.policy.version
    known = Crossing.objects.filter(customer=customer, level=level, policy_version=version).first()
    until = stretch.until if known is None else min(known.crossed_at, stretch.until or known.crossed_at)
    if until is not None and since >= until:
        return
    found = _first(customer, laws.lines(stretch.policy), stretch, since=since, until=until)
    if found is None:
        return
    if known is None:
        _write(customer, level, version, found)
    else:
        _correct(known, found)


def _first(
    customer: Customer, lines: Iterable[Line], stretch: laws.Stretch, *, since: datetime, until: datetime | None
) -> Reached | None:
    by_start: dict[datetime | None, list[Line]] = defaultdict(list)
    for line in lines:
        by_start[starts(line.within, customer.licensee)(since)].append(line)
    found = list[Reached]()
    for start, those in by_start.items():
        moved = movements(customer.pk, {kind for line in those for kind in line.kinds}, since=start, until=until)
        for line in those:
            one = first_reached(line, moved, customer.licensee, since=since, until=until, holds=stretch.holds)
            found += [one] if one else []
    return min(found, key=lambda one: (one.by.order, one.line.rule, one.line.kinds), default=None)


def _write(customer: Customer, level: str, version: str, found: Reached) -> Crossing:
    crossing = Crossing(customer=customer, level=level, policy_version=version, **_facts(found))
    crossing.save(force_insert=True)
    record("amounts.reach", by=system(), about=crossing, details=_details(crossing))
    return crossing


def _correct(crossing: Crossing, found: Reached) -> None:
    """A transaction came late: the amount was reached earlier than we knew. What was asked for stays asked for."""
    before = crossing.crossed_at
    facts = _facts(found)
    facts["knowable_at"] = max(min(facts["knowable_at"], crossing.knowable_at), facts["crossed_at"])
    for name, value in facts.items():
        setattr(crossing, name, value)
    crossing.save(update_fields=list(facts))
    record("amounts.correct", by=system(), about=crossing, details=_details(crossing))
    if crossing.case_id is None:
        return
    case = Verification.objects.select_related("licensee").get(pk=crossing.case_id)
    requirements.move_back(case, before, crossing.crossed_at, knowable_at=crossing.knowable_at)
    if case.closed_at is None:
        services.start_the_laws_clock(case, policy_at(case.policy_version), crossing.crossed_at, by=system())


def _facts(found: Reached) -> dict[str, Any]:
    one: Movement = found.by
    return {
        "account_id": one.account_id,
        "rule_id": found.line.rule,
        "leg": one.kind,
        "transaction": one.id,
        "by_withdrawal": one.kind == WITHDRAWAL,
        "total": found.total,
        "currency": one.currency,
        "crossed_at": min(one.at, found.known_at),  # clocks of platforms run ahead
        "knowable_at": found.known_at,
    }


def _details(crossing: Crossing) -> dict[str, Any]:
    facts = {"rule": crossing.rule_id, "level": crossing.level, "policy": crossing.policy_version}
    return facts | {"crossed_at": crossing.crossed_at, "knowable_at": crossing.knowable_at}


# ------------------------------------------------------------------------------------------------- what follows
def follow_up(*, run_for: timedelta = RUN_FOR) -> int:
    """Ask for what could not be asked for when it was reached, such as where no team had a queue. How many.

    One that fails keeps no other waiting; while another worker is at it, nothing is done.
    """
    done, until = 0, monotonic() + run_for.total_seconds()
    with _alone() as free:
        for pk, customer_id in _waiting() if free else ():
            if monotonic() >= until:
                break
            done += _tried_again(pk, customer_id)
    return done


def _waiting() -> list[tuple[UUID, UUID]]:
    """Crossings and their players, the oldest first. Who left or only paid out is asked when they come back: what they
    move then is added up."""
    live = Account.objects.filter(customer=OuterRef("customer"), released_at=None)
    rows = Crossing.objects.filter(outcome=Became.WAITS, by_withdrawal=False, found_at__lt=Now() - NEWLY)
    rows = rows.filter(Exists(live), customer__erased_at=None)
    return list(rows.order_by("found_at").values_list("pk", "customer_id"))


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else sweeps. Behind a pooler in transaction mode the lock would be taken on one connection and
    given back on another: there two may sweep at once, and wait for each other at each player."""
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False):
        yield True
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_SWEEP])
        (free,) = cursor.fetchone()
    try:
        yield bool(free)
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_SWEEP])


def _tried_again(pk: UUID, customer_id: UUID) -> int:
    try:
        return _follow_again(pk, customer_id)
    except (OperationalError, InterfaceError):
        raise  # the database is away: all of it waits where it is
    except Exception:
        _log.exception("What the amount %s asks for could not be seen to", pk)
        return 0


@transaction.atomic
def _follow_again(pk: UUID, customer_id: UUID) -> int:
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer_id)
    crossing = Crossing.objects.filter(pk=pk, outcome=Became.WAITS).first()
    if crossing is None or customer.erased_at is not None:
        return 0
    _follow(customer, crossing)
    return int(crossing.outcome != Became.WAITS)


def _follow(customer: Customer, crossing: Crossing) -> None:
    """Open a verification, or have the open one ask for more. It waits where that is not possible yet."""
    if laws.has(policy_at(crossing.policy_version), customer, crossing.level):
        return _followed(crossing, Became.REACHED)
    if crossing.by_withdrawal:
        if not _went_on(crossing):
            return None
        crossing.by_withdrawal = False
        crossing.save(update_fields=["by_withdrawal"])
    days = {"crossed_at": crossing.crossed_at, "knowable_at": crossing.knowable_at}
    running = Verification.objects.open().filter(customer=customer).first()
    if running is not None:
        rose = raising.raise_to(running, crossing.level, by=system(), by_amount=True, **days)
        return _followed(crossing, Became.RAISED if rose else Became.COVERED, running)
    if newer := _asked_since(crossing):
        return _followed(crossing, Became.COVERED, newer.case)
    account = _account(crossing)
    if account is None:
        return None
    try:
        with transaction.atomic():
            case = services.open(account, level=crossing.level, by=system(), because=Because.THRESHOLD, **days)
    except ConditionsNotMet:  # nobody has a queue, or the rules of today know no such level
        return None
    reviews.bring_along(case)
    return _followed(crossing, Became.OPENED, case)


def _followed(crossing: Crossing, outcome: str, case: Any = None) -> None:
    crossing.outcome, crossing.case_id = outcome, case.pk if case is not None else None
    crossing.save(update_fields=["outcome", "case"])
    matter = case.number if case is not None else None
    details = {"result": outcome, "rule": crossing.rule_id}
    record("amounts.follow", by=system(), about=crossing, details=details, matter=matter)


def _went_on(crossing: Crossing) -> bool:
    """Whether the player paid in or played after the withdrawal that reached the amount."""
    later = movements(crossing.customer_id, (DEPOSIT, STAKE), since=crossing.crossed_at)
    return any(one.order > (crossing.crossed_at, crossing.transaction.int) for one in later)


def _asked_since(crossing: Crossing) -> Crossing | None:
    """A later amount of this level that was asked for already: this one only came to be known late."""
    asked = Crossing.objects.filter(
        customer_id=crossing.customer_id, level=crossing.level, crossed_at__gt=crossing.crossed_at, case__isnull=False
    )
    return asked.select_related("case").order_by("crossed_at").first()


def _account(crossing: Crossing) -> Account | None:
    """The one on which it was reached, else another one that the player still has."""
    mine = Account.objects.filter(customer_id=crossing.customer_id, released_at=None).select_related(
        "licensee", "customer"
    )
    return mine.filter(pk=crossing.account_id).first() or mine.order_by("-created_at").first()
