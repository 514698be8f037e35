"""Whether a player is old enough, by the birth date that they declared, on the licensee's own day (`age.minimum`)."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from compliance.people.models import Customer
from compliance.policy import Policy
from compliance.rulebook.queries import policy_of


def is_too_young(customer: Customer) -> bool:
    """By the policy of the day: who is old enough today may be let in whatever was asked for when a case began."""
    today = customer.licensee.today()
    return _is_below(customer.birth_date, policy_of(customer.licensee, on=today), today)


def stands_against_approval(case: Any) -> list[str]:
    """Nobody is approved who is too young, or of whom no date of birth is known."""
    if case.customer.birth_date is None:
        return [str(_("No date of birth is known."))]
    if is_too_young(case.customer):
        return [str(_("The date of birth that the player gave shows somebody under age."))]
    return []


def _is_below(born: date | None, policy: Policy, today: date) -> bool:
    years: Any = policy.age.minimum  # reading an absent rule raises
    return born is not None and _birthday(born, years.value) > today


def _birthday(born: date, years: int) -> date:
    """Who was born on a 29 February is a year older on 1 March where there is none."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
