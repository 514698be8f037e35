"""Where simplified measures are not allowed (`no_simplified`): nobody is verified to less than what play needs.

A level below the one that play needs is simplified. Facts of the AML side do not count here. Whoever opens a
verification is told nothing of what raised it.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from cases.types.verification import playing
from cases.types.verification.risk import rating
from compliance.people.models import Customer
from compliance.policy import Policy
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

# What the policy names, by the facts that say it. Where an office is held is not kept: in doubt it is abroad.
FACTS: Mapping[str, frozenset[str]] = {
    "foreign_pep": frozenset({"pep", "close_to_pep"}),
    "risky_transaction": frozenset(
        {"third_party_payment", "anonymous_payment", "unusually_complex", "unusually_large"}
    ),
}


def is_forbidden(policy: Policy, customer: Customer, *, on: date) -> bool:
    """Whether a fact that counts on this day, an office that is over too, is one for which the policy allows none."""
    if not policy.verification.known("no_simplified"):
        return False
    rule: Any = policy.verification.no_simplified
    named = frozenset[str]().union(*(FACTS[name] for name in rule.value))
    return not named.isdisjoint(rating.codes_of(customer, on=on))


def at_least(policy: Policy, customer: Customer, level: str, *, on: date) -> str:
    """The level that a verification of this player is to reach when `level` is asked for."""
    needed, levels = playing.level_to_play(policy), list(policy.verification.levels)
    if needed is None or levels.index(level) >= levels.index(needed):
        return level
    return needed if is_forbidden(policy, customer, on=on) else level


def stands_against_approval(case: "Verification") -> list[str]:
    """A fact came to be known after the case was opened, and nobody has asked for more yet."""
    needed = at_least(policy_at(case.policy_version), case.customer, case.level, on=case.licensee.today())
    return [] if needed == case.level else [str(_("This player needs level %(level)s.")) % {"level": needed}]
