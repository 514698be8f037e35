"""Freezing a player's withdrawals: at once by one person, looked at by a second, lifted by two.

Outside, it is a routine hold (routine.py). When nobody else of the compartment looks in time it stays, and the
reporting officers are told; nothing is ever released by time. A rule can ask for one, too: then it comes among the
holds that chance plans, within some 20 minutes, and a person of the compartment is the second.
"""

import hashlib
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import record, record_refusal
from cases.types.monitoring import reminders, routine
from cases.types.monitoring.models import Freeze, FreezeState, Investigation, PlannedFreeze
from cases.types.monitoring.permissions import may_work
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.services import follow, locked, whole
from compliance.people.models import Customer, User
from compliance.proposals.queries import require_second_person

LIFT = "freezes.lift"
# Operator default. A freeze is an act of one person: somebody else looks at it within a day.
SECOND_WITHIN = timedelta(hours=24)


@transaction.atomic
def place(investigation: Investigation, *, by: User, reason: str) -> Freeze:
    """Hold the player's withdrawals now. A second click finds the same freeze."""
    fresh = locked(investigation)
    if not may_work(fresh, by):
        record_refusal("freezes.place", by=by, about=fresh, reason="no_right")
        raise Denied("no_right")
    if fresh.state in ("closed", "merged"):
        raise ConditionsNotMet([_("This investigation is closed or went on in another.")])
    if standing := Freeze.objects.filter(customer=fresh.customer, lifted_at=None).first():
        return standing
    return _placed(fresh, by=by, human=by, reason=reason)


def plan(flag: Flag) -> None:
    """Its rule holds withdrawals. In the transaction that raises it; a moment of chance's own does the rest."""
    PlannedFreeze.objects.get_or_create(flag_id=flag.pk, defaults={"customer_id": flag.customer_id})
    record("freezes.plan", by=system(), about=flag, details={"rule": flag.code, "number": flag.rule.number})


def hold_planned(licensee_id: Any) -> bool:
    """In the delivery of a hold: the one that waits longest at this licensee, if any, instead of one by chance.

    Nothing where the flag was closed meanwhile; nothing more where the player is frozen already.
    """
    rows = PlannedFreeze.objects.select_for_update(of=("self",), skip_locked=True).order_by("asked_at", "id")
    row = rows.filter(customer__licensee_id=licensee_id, done_at=None).select_related("customer").first()
    if row is None:
        return False
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])
    flag = Flag.objects.get(pk=row.flag_id)
    if flag.closed_at is not None or row.customer.erased_at is not None:
        record("freezes.forgo", by=system(), about=flag, details={"rule": flag.code})
        return True
    found = follow("flag", flag.pk)
    if not Freeze.objects.filter(customer=row.customer, lifted_at=None).exists():
        _placed(found, by=system(), human=None, reason="rule", customer=row.customer)
        reminders.remind_reporting_officers(within=reminders.UNHURRIED)
    return True


def waiting_at(licensee_id: Any) -> int:
    return PlannedFreeze.objects.filter(customer__licensee_id=licensee_id, done_at=None).count()


def _placed(
    investigation: Investigation, *, by: Acts, human: User | None, reason: str, customer: Customer | None = None
) -> Freeze:
    player, now = customer or investigation.customer, timezone.now()
    freeze = Freeze.objects.create(
        investigation=investigation,
        customer=player,
        restriction=routine.take_over(player),
        placed_by=human,
        placed_human_id=human.human_id if human else None,
        placed_at=now,
        second_by=now + SECOND_WITHIN,
    )
    details = {"customer": str(player.pk), "restriction": str(freeze.restriction_id), "second_by": freeze.second_by}
    record("freezes.place", by=by, about=freeze, reason=reason, details=details)
    return freeze


def second(freeze: Freeze, *, by: User) -> Freeze:
    """Somebody else of the compartment agrees. Refused to whoever placed it, under any sign-in."""
    return perform(freeze.second, by=by, at=timezone.now())  # type: ignore[no-any-return]


@transaction.atomic
def lift(freeze: Freeze, *, by: User, reason: str, proposal: str | None = None, maker: str | None = None) -> Freeze:
    """Let withdrawals go on: two persons, always. It stands at once; the hold ends as one by chance does, soon."""
    require_second_person(LIFT, freeze, proposal=proposal)
    details = {name: value for name, value in (("proposal", proposal), ("maker", maker)) if value}
    now = timezone.now()
    done: Freeze = perform(freeze.lift, by=by, reason=reason, details=details, at=now)
    routine.let_end(done.restriction, at=now)
    return done


def escalate_overdue() -> int:
    """Those that nobody else looked at in time: they stay, and the reporting officers are told. How many."""
    told = 0
    late = Freeze.objects.filter(state=FreezeState.PLACED, second_by__lte=timezone.now()).order_by("second_by")
    for freeze in late:
        with transaction.atomic():
            perform(freeze.escalate, by=system())
            reminders.remind_reporting_officers(within=reminders.UNHURRIED)
        told += 1
    return told


def standing_in(investigation: Investigation) -> list[Freeze]:
    """What is frozen in it, or in what was merged into it, and not lifted."""
    rows = Freeze.objects.filter(investigation__in=whole(investigation), lifted_at=None)
    return list(rows.select_related("placed_by", "seconded_by").order_by("placed_at"))


def digest(freeze: Freeze) -> bytes:
    return hashlib.sha256(repr((freeze.pk, freeze.state)).encode()).digest()


def load(pk: Any) -> Freeze:
    rows = Freeze.objects.select_for_update(of=("self",)).select_related("investigation", "customer", "restriction")
    return rows.get(pk=pk)


routine.PLANNED.append((waiting_at, hold_planned))
