"""Looking at a known player again: something became known, it is time, or a paper is out of date.

A review is a verification that nobody applied for: the player hears nothing until something is asked for. What is still
good is brought along and judged anew; what is missing is asked for.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from cases import services as engine
from cases.models import Evidence
from cases.types.verification import rules, services
from cases.types.verification.models import KIND, Because, Outcome, Verification
from cases.types.verification.risk.from_papers import learn_issuer
from compliance.people.models import Account, Customer
from compliance.rulebook.queries import policy_of


def ruled(case: Any, evidence: Evidence, *, by: Acts) -> None:
    """A verdict, and the country that the paper names; one out of date in a finished case asks for a new one."""
    services.ruled(case, evidence, by=by)
    learn_issuer(evidence)
    if evidence.state == Evidence.State.EXPIRED and case.outcome == Outcome.APPROVED:
        review(Customer.objects.get(pk=case.customer_id), because=Because.EXPIRED)


@transaction.atomic
def review(
    customer: Customer,
    *,
    because: str,
    level: str | None = None,
    crossed_at: datetime | None = None,
    verified_elsewhere: bool = False,
) -> Verification | None:
    """Open a review of a player who was verified before; None where there is nothing to open.

    Nothing is opened for whoever was never verified, was erased, or is being looked at already. With
    `verified_elsewhere` a level that came from a former system counts as well.
    """
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    account = Account.objects.filter(customer=customer, released_at=None).order_by("-created_at").first()
    if customer.erased_at or account is None or rules.another_is_open(customer.pk):
        return None
    if not verified_elsewhere and not _verified(customer):
        return None
    asked = level or level_of(customer)
    now = timezone.now()
    crossed = crossed_at or now
    try:
        with transaction.atomic():
            case = services.open(
                account, level=asked, by=system(), because=because, crossed_at=crossed, knowable_at=crossed
            )
    except ConditionsNotMet:  # nobody has a queue: the sweep comes again
        return None
    bring_along(case)
    return case


def _verified(customer: Customer) -> bool:
    return bool(Verification.objects.filter(customer=customer, outcome=Outcome.APPROVED).exists())


def level_of(customer: Customer) -> str:
    """The level that the player has; at high risk the highest that the policy knows: enhanced measures."""
    levels = list(policy_of(customer.licensee, on=customer.licensee.today()).verification.levels)
    return levels[-1] if customer.risk == "high" or customer.level not in levels else customer.level


def bring_along(case: Verification) -> None:
    """What was accepted before and is still good is offered again: nothing is asked for that is here."""
    offered = set(rules.offers(case))
    known = Evidence.objects.filter(case__customer_id=case.customer_id, case__kind=KIND, state="accepted").exclude(
        good_until__lt=case.licensee.today()
    )
    newest = {evidence.purpose: evidence for evidence in known.select_related("document").order_by("decided_at")}
    for evidence in newest.values():
        if (evidence.purpose, evidence.document_type) in offered and evidence.document.state == "ready":
            engine.attach(
                case,
                evidence.document,
                purpose=evidence.purpose,
                document_type=evidence.document_type,
                by=system(),
            )
