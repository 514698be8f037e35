"""A player who is to be talked to because a rule says so: a case that opens by itself, with a contact that is due.

It protects and refuses nothing: whatever the rule looked at stays possible, and a person decides what follows.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.record import record
from cases import services as engine
from cases.contacts.models import Task
from cases.contacts.services import plan_contact
from cases.types.gaming.limits import ledger
from cases.types.gaming.limits import services as limits
from cases.types.gaming.limits.models import Ledger, LimitChange, MoneyEvent
from cases.types.gaming.limits.rules import minor
from cases.types.gaming.limits.showing import amount_words, measure_words, span_words
from cases.types.gaming.limits.windows import months_later
from cases.types.gaming.models import KIND, Asks, GamingFacts, GamingRequest
from compliance.people.exclusions import clock
from compliance.people.exclusions.models import AskedBy
from compliance.people.models import Account, Customer, Licensee
from compliance.policy.records import Period
from compliance.rulebook.queries import policy_of

CARE_WITHIN = timedelta(days=1)  # operator default: the rules that ask for a contact name no time


@transaction.atomic
def look_after(
    account: Account,
    *,
    rule: str,
    reckoning: dict[str, Any],
    by: Acts,
    within: timedelta | None = None,
    contact: bool = True,
) -> GamingRequest | None:
    """Open a case for those who look after players. While one of the same rule is open it is enough. The contact is due
    at once, or within this time from now; without `contact` there is none yet. None where no team has a queue for this
    kind.
    """
    # As whoever opens a case does: two who open one at once wait for each other.
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=account.customer_id)
    running = GamingRequest.objects.open().filter(account=account, gaming_facts__rule=rule).first()
    now = clock.now()
    if running is not None:
        if contact and within is not None:
            _due_by(running, now + within, by=by)
        return running  # type: ignore[no-any-return]
    try:
        case: GamingRequest = engine.open_case(KIND, account, by=by, now=now, due_at=now + (within or CARE_WITHIN))
    except engine.NoQueue:
        return None
    facts = GamingFacts(case=case, asks=Asks.CARE, asked_by=AskedBy.OPERATOR, via="rule", rule=rule)
    facts.reckoning = reckoning
    facts.save(force_insert=True)
    details = {"asks": Asks.CARE, "asked_by": AskedBy.OPERATOR, "via": "rule", "rule": rule}
    record("gaming.open", by=by, about=case, details=details)
    if contact:
        plan_contact(case, now + (within or timedelta(0)), by=by)
    return case


def _due_by(case: GamingRequest, moment: datetime, *, by: Acts) -> None:
    """The player is contacted by then: an open contact that is due earlier is enough."""
    if not Task.objects.filter(case_id=case.pk, kind=Task.Kind.CONTACT, closed_at=None, due_at__lte=moment).exists():
        plan_contact(case, moment, by=by)


def _limit_above(change: LimitChange, threshold: int, rule: str) -> None:
    facts = {name: getattr(change, name) for name in ("measure", "span", "amount", "currency")}
    look_after(change.account, rule=rule, reckoning={"of": "limit", "threshold": threshold, **facts}, by=system())


def _paid_in(account: Account, now: datetime) -> None:
    """Whether what the player paid in at this licensee, less what was paid out, passes the rule's amount. Once in each
    of its windows: whoever looked does not look again at every deposit.
    """
    licensee = account.licensee
    thresholds = policy_of(licensee, on=licensee.day_of(now)).thresholds
    rule = thresholds.financial_vulnerability if thresholds.known("financial_vulnerability") else None
    if rule is None or rule.value.window is None:
        return
    most, since = rule.value, _back(rule.value.window, now, licensee)
    looked = GamingRequest.objects.filter(customer_id=account.customer_id, gaming_facts__rule=rule.id)
    if looked.filter(opened_at__gt=since).exists():
        return
    reckoning = _net_deposits(account, since)
    threshold = minor(most.amount, most.currency)
    passed = reckoning["net"] > threshold or (most.op == "at_least" and reckoning["net"] == threshold)
    # An amount in another currency cannot be compared: then a person looks.
    if passed or (reckoning["currency"] != most.currency and reckoning["net"] > 0):
        facts = {"of": "net_deposits", "threshold": threshold, "threshold_currency": most.currency}
        look_after(account, rule=rule.id, reckoning=facts | reckoning, by=system())


def _back(window: Period, now: datetime, licensee: Licensee) -> datetime:
    if window.unit == "calendar_day":
        return now - timedelta(days=window.amount)
    if window.unit == "hour":
        return now - timedelta(hours=window.amount)
    return months_later(now, -window.amount * (12 if window.unit == "year" else 1), licensee.zone)


def _net_deposits(account: Account, since: datetime) -> dict[str, Any]:
    """Of every account in this currency that the player has at the licensee."""
    currency = Ledger.objects.get(pk=account.pk).currency
    own = Ledger.objects.filter(account__customer_id=account.customer_id, currency=currency).values("pk")
    rows = MoneyEvent.objects.filter(account__in=own, happened_at__gte=since).values_list("kind")
    sums = dict(rows.annotate(total=Sum("amount")).order_by())
    paid_out = sums.get("withdrawal", 0) - sums.get("withdrawal_cancelled", 0)
    paid_in = sums.get("deposit", 0)
    return {"paid_in": paid_in, "paid_out": paid_out, "net": paid_in - paid_out, "currency": currency}


ledger.when_paid_in(_paid_in)
limits.when_contact_is_due(_limit_above)


def reckoned(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What the rule compared, line by line, in words."""
    if not facts:
        return []
    money = facts["currency"]
    if facts["of"] == "net_deposits":
        net = f"{amount_words(facts['paid_in'], money)} − {amount_words(facts['paid_out'], money)}"
        return [
            (_("Deposits less withdrawals"), f"{net} = {amount_words(facts['net'], money)}"),
            (_("Contact is asked for above"), amount_words(facts["threshold"], facts["threshold_currency"])),
        ]
    measure, span = measure_words(facts["measure"]), span_words(facts["span"])
    return [
        (_("Limit"), f"{measure}: {amount_words(facts['amount'], money)} {span}"),
        (_("Contact is asked for above"), amount_words(facts["threshold"], money)),
    ]
