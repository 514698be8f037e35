"""What play protection knows of a player besides transactions, as signs in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest

from cases.contacts.models import Task
from cases.patterns.events import EPOCH, HOUR, MICROSECOND, SLOT, day_of
from cases.patterns.kinds import Sign
from cases.types.gaming.limits.models import Kind as Moved
from cases.types.gaming.limits.models import LimitChange, MoneyEvent
from cases.types.gaming.markers.models import Score
from cases.types.gaming.models import Interaction
from compliance.people.exclusions.models import Duplicate, DuplicateState, Exclusion
from compliance.people.models import Account, Customer

LOOK_BACK = timedelta(days=401)  # the longest window, and the day that is not over
NOTED = {"distress": Sign.DISTRESS, "self_harm": Sign.SELF_HARM, "losses": Sign.LOSSES, "borrowing": Sign.LOSSES}
MET = (DuplicateState.OPEN, DuplicateState.CONFIRMED)
REPORTED = {Moved.SESSION: Sign.SESSION, Moved.WITHDRAWAL_CANCELLED: Sign.WITHDRAWAL_TAKEN_BACK}


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign as features see it. `amount` is seconds of a session, else 0."""

    sign: str
    at: datetime
    amount: int
    hour: int
    day: int
    currency: str = ""


def met_lately(now: datetime) -> list[UUID]:
    """Players who came to resemble somebody who is kept out, or do so no longer, and were not counted since."""
    since = now - timedelta(days=1)
    lately = Q(found_at__gt=since) | Q(decided_at__gt=since)
    newer = Score.objects.filter(
        customer=OuterRef("customer"),
        counted_at__gt=Greatest(OuterRef("found_at"), Coalesce(OuterRef("decided_at"), OuterRef("found_at"))),
    )
    rows = Duplicate.objects.filter(lately, ~Exists(newer), customer__erased_at=None)
    return list(rows.order_by("customer_id").values_list("customer_id", flat=True).distinct())


def signs_of(customer: Customer, *, now: datetime) -> list[Signed]:
    """Those of a customer at this licensee, the oldest first."""
    since, zone = now - LOOK_BACK, customer.licensee.zone
    found = [one for one in _found(customer, since) if one[1] > since]
    return sorted((_signed(*one, zone) for one in found), key=lambda one: (one.at, one.sign, one.amount))


def _found(customer: Customer, since: datetime) -> Iterator[tuple[str, datetime, int]]:
    accounts = Account.objects.filter(customer=customer)
    for moment in accounts.values_list("created_at", flat=True):
        yield Sign.ACCOUNT_OPENED, moment, 0
    mine = accounts.values("pk")
    events = MoneyEvent.objects.filter(account__in=mine, kind__in=list(REPORTED), happened_at__gt=since)
    for kind, at, amount in events.values_list("kind", "happened_at", "amount"):
        yield REPORTED[Moved(kind)], at, amount
    raised = LimitChange.objects.filter(account__in=mine, raises=True, imposed=False, effective_at__gt=since)
    for change in raised:
        if change.effective_at is not None:
            yield (Sign.LIMIT_REMOVED if change.amount is None else Sign.LIMIT_RAISED), change.effective_at, 0
    kept_out = Exclusion.objects.filter(customer=customer).exclude(state=Exclusion.State.ANNULLED)
    for kind, at in kept_out.values_list("kind", "starts_at"):
        yield (Sign.TIME_OUT if kind == "time_out" else Sign.SELF_EXCLUSION), at, 0
    met = Duplicate.objects.filter(customer=customer, state__in=MET)
    for at in met.annotate(at=F("found_at")).values_list("at", flat=True):
        yield Sign.MET_AGAIN, at, 0
    noted = Interaction.objects.filter(case__customer=customer, written_at__gt=since)
    for signs, at in noted.values_list("signs", "written_at"):
        for sign in {NOTED[one] for one in signs if one in NOTED}:
            yield sign, at, 0
    called = Task.objects.filter(case__customer=customer, kind=Task.Kind.CARE, made_at__gt=since)
    for at in called.exclude(outcome="other_meaning").annotate(at=F("made_at")).values_list("at", flat=True):
        yield Sign.SELF_HARM, at, 0


def _signed(sign: str, at: datetime, amount: int, zone: ZoneInfo) -> Signed:
    hour, day = bucket_of(at, zone)
    return Signed(str(sign), at, amount, hour, day)


def bucket_of(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """The hour and the licensee's day that a moment lies in, as the language of rules counts them."""
    time = (at - EPOCH) // MICROSECOND
    return time // HOUR, day_of(time // SLOT, zone)
