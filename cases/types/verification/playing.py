"""Verified before play (GB.KYC.ID_BEFORE_GAMBLE, TR.CDD.PLAY_NEEDS): what the gate reads until the level is reached.

Life of the row: set with the account -> lifted by the approval that reaches the level. It stops play, and deposits
where the law asks for checks before any service; never withdrawals: nobody has to be verified to take their own money
back. Letting a player in for the first time weakens nothing that somebody decided, so its approval needs no more
persons than any other.
"""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from audit.actors import Acts
from cases.types.verification import holds
from compliance.people import restrictions
from compliance.people.models import Customer, Restriction
from compliance.people.services import restrict
from compliance.policy import Policy
from compliance.rulebook.queries import policy_of

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

# Not that of the endings, which two persons lift: these rows end by themselves.
SOURCE, REASON = "before_play", "not_verified_yet"


@transaction.atomic
def stop_until_verified(customer: Customer, *, by: Acts) -> Restriction | None:
    """None where the level is reached, no level is asked for, or the row stands already."""
    # The lock makes an approval at this moment wait, or be seen.
    customer = Customer.objects.select_for_update(of=("self",)).select_related("licensee").get(pk=customer.pk)
    licensee = customer.licensee
    # Players of a test licensee are what their reference says (compliance.platform.trying).
    if licensee.is_test or rows_of(customer).exists():
        return None
    policy = policy_of(licensee, on=licensee.today())
    if is_enough(policy, customer.level):
        return None
    stops = ["play", "deposit"] if policy.verification.known("before_service") else ["play"]
    return restrict(customer, stops=stops, cover_code=holds.NEEDED, source=SOURCE, by=by, reason=REASON)


def let(case: "Verification", *, by: Acts) -> None:
    """The level was reached: play is open, as far as nothing else stands against it."""
    customer = Customer.objects.select_related("licensee").get(pk=case.customer_id)
    if is_enough(policy_of(customer.licensee, on=customer.licensee.today()), customer.level):
        for row in rows_of(customer):
            restrictions.lift(row, by=by, reason="verified", matter=case.number)


def rows_of(customer: Customer) -> "QuerySet[Restriction]":
    return restrictions.in_force(customer).filter(source=SOURCE, customer=customer)


def level_to_play(policy: Policy) -> str | None:
    """None where the law of the place does not say."""
    if not policy.verification.known("play_needs"):
        return None
    rule: Any = policy.verification.play_needs
    return str(rule.value)


def is_enough(policy: Policy, level: str) -> bool:
    """Whether somebody of this level may play. A level that the policy does not know carries nothing."""
    needed = level_to_play(policy)
    levels = list(policy.verification.levels)
    return needed is None or (level in levels and levels.index(level) >= levels.index(needed))


def is_part_of_it(policy: Policy, level: str) -> bool:
    """Whether this level is on the way to play: what it asks for was due before anybody played."""
    needed = level_to_play(policy)
    levels = list(policy.verification.levels)
    return needed is not None and levels.index(level) <= levels.index(needed)
