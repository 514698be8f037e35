"""Orders to stop: the platform ends what runs, and says so. Told again until it has.

made with the exclusion, in its transaction -> told (event `account.stop`) -> told again after 1, 2, 4 ... 30 minutes
-> confirmed part by part. The gate refuses from the first moment, whether or not the platform ever answers.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from cases import protection
from cases.notices.models import Notice
from cases.notices.services import carers_of, managers_of
from cases.notices.services import tell as tell_staff
from cases.types.gaming.models import MARKETING, Asks, GamingRequest, StopOrder
from compliance.outbox.kinds import register
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.exclusions import clock
from compliance.people.exclusions.suppression import SOURCE
from compliance.people.exclusions.terms import after, needed, value
from compliance.people.models import Account, Restriction
from compliance.people.restrictions import accounts_reached
from compliance.platform.webhooks import catalogue
from compliance.platform.webhooks.events import emit
from compliance.rulebook.queries import policy_of

TELL, EVENT = "gaming.stop", "account.stop"
BONUSES, OPEN_BETS, VOID, STAND = "bonuses", "open_bets", "void", "stand"
LATE = "stop_late"
LONGEST_PAUSE = timedelta(minutes=30)
LOOK_BACK = timedelta(days=2)  # what is later than that was told

catalogue.register(
    catalogue.EventType(
        EVENT,
        gettext_lazy("End what runs for an account, and confirm it"),
        {
            "type": "object",
            "required": ["account", "brand", "ends", "order"],
            "properties": {
                "account": {"type": "string", "description": "Your reference of the account"},
                "brand": {"type": "string", "description": "The brand it is at"},
                "order": {"type": "string", "description": "Confirm it under /stop-orders/{order}/confirmations"},
                "ends": {
                    "type": "array",
                    "items": {"enum": ["sessions", "scheduled_deposits", "bonuses", "open_bets", "marketing"]},
                    "description": "What is not confirmed yet",
                },
                "open_bets": {
                    "enum": ["stand", "void"],
                    "description": "Bets that run: settle them as they stand, or give the stakes back",
                },
                "withdrawals": {
                    "enum": ["open", "stopped"],
                    "description": "As far as this order goes; the gate has the last word",
                },
            },
        },
        {
            "account": "P-88213",
            "brand": "lale",
            "order": "3f0c8f5e-5a0e-4d3a-9d55-0d4d5c1f7a11",
            "ends": ["sessions", "marketing"],
            "open_bets": "stand",
            "withdrawals": "open",
        },
    )
)


def order_for(restriction: Restriction, *, parts: Sequence[str] = ()) -> list[StopOrder]:
    """One order for each account it reaches that has none. In the transaction of the act that stops. `parts`: what
    ends, where it is not what an exclusion ends.
    """
    had = StopOrder.objects.filter(restriction=restriction).values("account_id")
    reached = accounts_reached(restriction).filter(released_at=None).exclude(pk__in=had)
    return [_made(restriction, account, parts) for account in reached.select_related("licensee").order_by("pk")]


def _made(restriction: Restriction, account: Account, parts: Sequence[str]) -> StopOrder:
    licensee = account.licensee
    rules = policy_of(licensee, on=licensee.today()).exclusions
    at = clock.now()
    ended = [*(value(rules, "ended_now") or ("sessions",)), *([MARKETING] if restriction.stops_marketing else [])]
    parts = list(parts) or ended
    due_at = after(at, needed(rules, "confirm_within"), licensee) if rules.known("confirm_within") else at
    order = StopOrder(restriction=restriction, account=account, parts=parts, due_at=due_at, sent=1)
    if MARKETING in parts and (own := value(rules, "marketing_stop")):
        order.marketing_due_at = after(at, own, licensee)
    order.next_at = at + timedelta(minutes=1)
    order.save(force_insert=True)
    record("gaming.order_stop", by=system(), about=order, details={"account": account.pk, "sent": 1, "left": parts})
    post(TELL, payload={"order_id": str(order.pk)})
    return order


def tell(row: OutboxRow) -> None:
    """Tell the account's platform what is left. Nothing to tell when it confirmed meanwhile."""
    rows = StopOrder.objects.open().select_related("account__brand", "restriction")
    order = rows.filter(pk=row.payload["order_id"]).first()
    if order is not None:
        facts = {"account": order.account.reference, "brand": order.account.brand.slug, "order": str(order.pk)}
        facts |= {"open_bets": VOID if OPEN_BETS in order.parts else STAND}
        facts |= {"withdrawals": "stopped" if order.restriction.stops_withdraw else "open"}
        emit(EVENT, licensee_id=order.account.licensee_id, data=facts | {"ends": order.left})


register(TELL, tell)


def sweep() -> dict[str, int]:
    """Tell again what nobody confirmed, and order what nobody ordered: accounts found, opened or restored later."""
    ordered = sum(len(order_for(row)) for row in _without_an_order())
    return {"ordered": ordered, "told_again": _tell_again(), "late": _call_for_help()}


def _call_for_help() -> int:
    """Those who look after the player hear, once for each order, that the platform did not confirm in time."""
    now = clock.now()
    told = Notice.objects.filter(kind=LATE, key=Cast(OuterRef("pk"), CharField()))
    past = Q(due_at__lt=now, due_at__gte=now - LOOK_BACK)
    past |= Q(marketing_due_at__lt=now, marketing_due_at__gte=now - LOOK_BACK)
    rows = StopOrder.objects.open().filter(~Exists(told), past).order_by("due_at", "pk")
    late = [order for order in rows.select_related("restriction")[:500] if order.late(now)]
    cases = ((order, _case_of(order)) for order in late)
    return sum(
        tell_staff(LATE, case=case, to=[*carers_of(case), *managers_of(case)], key=order.pk)
        for order, case in cases
        if case is not None
    )


def _case_of(order: StopOrder) -> GamingRequest | None:
    """The request behind it: of the player who is kept out, or of whom a player resembles."""
    about = Q(gaming_facts__exclusion__restriction=order.restriction_id)
    about |= Q(gaming_facts__exclusion__person__resembled_by__restriction=order.restriction_id)
    if order.restriction.source == protection.SOURCE:  # an act of care: the case in which the player is looked after
        about |= Q(customer_id=order.restriction.customer_id, gaming_facts__asks=Asks.CARE)
    rows = GamingRequest.objects.filter(about).select_related("assignee", "queue")
    return rows.order_by("-opened_at", "pk").first()  # type: ignore[no-any-return]


def _without_an_order() -> Iterable[Restriction]:
    live = Q(exclusion__state__in=["active", "persisting", "return_requested", "cooling"])
    live |= Q(duplicate__state__in=["open", "confirmed"])
    rows = Restriction.objects.filter(live, source=SOURCE, lifted_at=None, stops_play=True)
    # Only where an account is without one: two lists of ids, compared by the database.
    wanting = list(rows.filter(stop_orders=None))
    later = Account.objects.filter(released_at=None, stop_orders=None, created_at__gt=Now() - timedelta(days=2))
    people = later.values("customer__person_id")
    return [*wanting, *rows.filter(Q(person_id__in=people) | Q(customer_id__in=later.values("customer_id")))]


def _tell_again() -> int:
    with transaction.atomic():
        due = StopOrder.objects.open().filter(next_at__lte=Now()).select_for_update(skip_locked=True)
        rows = list(due.order_by("next_at")[:500])
        for order in rows:
            pause = min(timedelta(minutes=2 ** min(order.sent, 10)), LONGEST_PAUSE)
            StopOrder.objects.filter(pk=order.pk).update(sent=F("sent") + 1, next_at=Now() + pause)
            post(TELL, payload={"order_id": str(order.pk)})
    return len(rows)


@transaction.atomic
def confirm(order: StopOrder, done: Iterable[str], *, by: Acts) -> StopOrder:
    """The platform says what it ended. Twice changes nothing; a part that was not ordered is ConditionsNotMet."""
    fresh = StopOrder.objects.select_for_update(of=("self",)).select_related("account").get(pk=order.pk)
    given = set(done)
    if unknown := sorted(given - set(fresh.parts)):
        facts = {"given": ", ".join(unknown), "known": ", ".join(fresh.parts)}
        raise ConditionsNotMet([_("done: %(given)s was not ordered. Ordered: %(known)s.") % facts])
    if given <= set(fresh.done):
        return fresh
    fresh.done = [part for part in fresh.parts if part in given | set(fresh.done)]
    fresh.confirmed_at = None if fresh.left else clock.now()
    fresh.save(update_fields=["done", "confirmed_at"])
    details: dict[str, Any] = {"account": fresh.account_id, "done": fresh.done, "left": fresh.left}
    record("gaming.confirm_stop", by=by, about=fresh, details=details)
    return fresh
