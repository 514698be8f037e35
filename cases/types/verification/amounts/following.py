"""What the count of transactions leaves behind: which players are to be added up. In its transaction, and quickly."""

from collections.abc import Sequence

from cases.types.verification.amounts import laws
from cases.types.verification.amounts.models import Look
from compliance.people import moving
from compliance.people.models import Customer, Licensee
from compliance.people.moving import DEPOSIT, REVERSAL, STAKE, WINNING, WITHDRAWAL, Moved
from compliance.policy import PolicyMissing
from compliance.rulebook.queries import policy_of

COUNTED = frozenset({DEPOSIT, WITHDRAWAL, STAKE, WINNING, REVERSAL})


def note(licensee: Licensee, moved: Sequence[Moved]) -> None:
    """A row for each player who moved money and has not reached the level that an amount would ask for."""
    first = dict[object, Moved]()
    for one in moved:
        if one[2] in COUNTED and (one[0] not in first or one[1] < first[one[0]][1]):
            first[one[0]] = one
    try:
        policy = policy_of(licensee, on=licensee.today())
    except PolicyMissing:
        return
    if not first or not laws.lines(policy):
        return
    players = Customer.objects.filter(pk__in=list(first), erased_at=None).only("level", "risk")
    asked = [one for one in players if not laws.has(policy, one, laws.level_asked(policy, one.risk))]
    Look.objects.bulk_create(Look(customer_id=one.pk, since=first[one.pk][1]) for one in asked)


moving.also(note)
