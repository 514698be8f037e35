"""A verification that runs already asks for more: its level rises. What it asks for besides gets its rows."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from audit.actors import Acts
from audit.record import record
from cases.types.verification import requirements
from cases.types.verification.locking import locked
from cases.types.verification.models import VerificationFacts
from cases.types.verification.services import start_the_laws_clock
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification


@transaction.atomic
def raise_to(
    case: "Verification",
    level: str,
    *,
    crossed_at: datetime,
    knowable_at: datetime,
    by: Acts,
    by_amount: bool = True,
) -> bool:
    """Whether the level rose: not where the case asks for as much, or its pinned policy does not know the level.

    A decision that was proposed on the former level is void by its digest. Of an amount the law's clock runs either
    way.
    """
    case = locked(case)
    policy = policy_at(case.policy_version)
    levels, before = list(policy.verification.levels), case.level
    if by_amount:
        start_the_laws_clock(case, policy, crossed_at, by=by)
    if level not in levels or (before in levels and levels.index(level) <= levels.index(before)):
        return False
    VerificationFacts.objects.filter(case=case).update(level=level)
    case.verification_facts.level = level
    requirements.make(case, crossed_at=crossed_at, knowable_at=knowable_at)
    record("verification.raise", by=by, about=case, details={"level": level, "from_level": before})
    return True
