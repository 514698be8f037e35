"""Politically exposed persons, families and associates: enhanced measures go on after the office (`after_office`).

The last day of a fact about an office ("holds until") is the last day of the office. A fact that somebody ended by hand
was none: nothing of it goes on.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from compliance.people.models import Customer, RiskFact
from compliance.policy import Policy, PolicyMissing
from compliance.rulebook.queries import policy_of

PEP, CLOSE = "pep", "close_to_pep"
LONGEST = timedelta(days=10 * 366)  # no law looks further back


def over(*, on: date) -> Any:
    """Facts about offices that are over on a day, of everybody and of every log."""
    return RiskFact.objects.filter(code__in=(PEP, CLOSE), ended_at=None, until__lt=on, until__gte=on - LONGEST)


def counting_on(customer: Customer, ended: Iterable[tuple[str, date]], *, on: date) -> list[str]:
    """Of offices and their last days, the codes for which the policy of the day lets the measures go on."""
    ended = list(ended)
    if not ended:
        return []
    try:
        policy = policy_of(customer.licensee, on=on)
    except PolicyMissing:
        return []
    if not policy.enhanced.known("after_office"):
        return []
    rule: Any = policy.enhanced.after_office
    codes = with_family(policy, {PEP})
    return [code for code, until in ended if code in codes and on < rule.value.after(until)]


def with_family(policy: Policy, codes: set[str]) -> set[str]:
    """What holds for a politically exposed person holds for family and associates where the policy says so."""
    rule: Any = policy.enhanced.family_and_associates if policy.enhanced.known("family_and_associates") else None
    return codes | {CLOSE} if rule is not None and rule.value and PEP in codes else codes
