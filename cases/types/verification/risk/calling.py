"""Whether enhanced due diligence is called for of a player. Facts of the AML side do not count."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.types.verification import traps
from cases.types.verification.risk import offices, rating
from cases.types.verification.risk.models import Assessment
from compliance.people import risk as facts
from compliance.people.models import Customer
from compliance.policy import Policy
from compliance.policy.book import book
from compliance.rulebook.queries import policy_at, policy_of

# What a policy calls a country of some list; its other triggers are named as the facts are.
COUNTRIES = {
    "call_for_action_country": ("fatf_call_for_action",),
    "high_risk_country": ("high_risk_country", "fatf_call_for_action", "eu_high_risk"),
}


def triggers(customer: Customer) -> frozenset[str]:
    """Codes of what calls for it today, by law and by the operator's choice."""
    return _named_by(policy_of(customer.licensee, on=customer.licensee.today()))


def _named_by(policy: Policy) -> frozenset[str]:
    enhanced = policy.enhanced
    named = [
        one
        for name in ("triggers", "further_triggers")
        if enhanced.known(name)
        for one in getattr(enhanced, name).value
    ]
    return frozenset(code for one in offices.with_family(policy, set(named)) for code in COUNTRIES.get(one, (one,)))


def is_called_for(customer: Customer) -> bool:
    """Whether the level of risk, or something that the policy names, calls for it today."""
    codes = set(rating.codes_of(customer, on=customer.licensee.today()))
    return customer.risk == "high" or bool(codes & triggers(customer))


def called_for_since(customer: Customer) -> datetime:
    """Since when it could have been asked for: what calls for it was known, and the policy asked for something."""
    licensee = customer.licensee
    asked_on = [one.effective_from for one in book().by_jurisdiction[licensee.jurisdiction] if one.enhanced.required]
    first = licensee.day_starts(min(asked_on, default=licensee.today()))
    return max(first, min(_known_at(customer), default=timezone.now()))


def _known_at(customer: Customer) -> Iterator[datetime]:
    """When each thing that calls for it became known."""
    today, named = customer.licensee.today(), triggers(customer)
    over = offices.over(on=today).filter(customer=customer, log=facts.MAIN)
    rows = facts.holding(customer, on=today) | over
    for code, until, recorded_at in rows.values_list("code", "until", "recorded_at"):
        holds = until is None or until >= today
        said = [code] if holds else offices.counting_on(customer, [(code, until)], on=today)
        if any(named.intersection(rating.counted_as(one, on=today)) for one in said):
            yield recorded_at
    if named.intersection(rating.counted_as(f"nationality:{customer.nationality}", on=today)):
        yield customer.created_at
    if customer.risk == "high":
        yield _high_since(customer)


def _high_since(customer: Customer) -> datetime:
    since = None
    rows = Assessment.objects.filter(customer=customer).order_by("-assessed_at")
    for level, assessed_at in rows.values_list("level", "assessed_at"):
        if level != "high":
            break
        since = assessed_at
    return since or customer.created_at


def may_be_asked(policy: Policy, customer: Customer, *, because: str, asked_at: datetime) -> bool:
    """Whether a verification for this cause asks for it: a withdrawal not, if it could have been asked for before."""
    if not policy.enhanced.required or not is_called_for(customer):
        return False
    if because != traps.WITHDRAWAL or not traps.forbidden_by(policy):
        return True
    return called_for_since(customer) >= asked_at


def is_owed(case: Any) -> bool:
    """Whether the case has to ask for it and does not yet. The player is read anew."""
    facts_of = case.verification_facts
    if facts_of.enhanced:
        return False
    customer = Customer.objects.select_related("licensee").get(pk=case.customer_id)
    policy = policy_at(case.policy_version)
    return may_be_asked(policy, customer, because=facts_of.because, asked_at=case.opened_at)


def stands_against_approval(case: Any) -> list[str]:
    """Called for since the case was opened, and not asked for yet: whoever approved now would approve without it."""
    if not is_owed(case):
        return []
    return [str(_("Enhanced due diligence is called for by now. What it asks for is added in a moment."))]
