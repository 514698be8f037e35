"""Whether enhanced due diligence is called for of a player. Facts of the AML side do not count."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from cases.types.verification.risk import offices, rating
from compliance.people.models import Customer
from compliance.policy import Policy
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


def stands_against_approval(case: Any) -> list[str]:
    """Called for since the case was opened, and not asked for yet: whoever approved now would approve without it."""
    if case.verification_facts.enhanced or not policy_at(case.policy_version).enhanced.required:
        return []
    if not is_called_for(Customer.objects.select_related("licensee").get(pk=case.customer_id)):
        return []
    return [str(_("Enhanced due diligence is called for by now. What it asks for is added in a moment."))]
