"""A verification that runs already asks for more: its level rises. What it asks for besides gets its rows."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from audit.actors import Acts
from cases.types.verification.enhancing import to_level
from cases.types.verification.locking import locked
from cases.types.verification.services import start_the_laws_clock
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification


@transaction.atomic
def raise_to(
    case: "Verification", level: str, *, crossed_at: datetime, knowable_at: datetime, by: Acts, by_amount: bool = True
) -> bool:
    """Whether the level rose (`enhancing.to_level`).

    A decision that was proposed on the former level is void by its digest. Of an amount the law's clock runs either
    way.
    """
    case = locked(case)
    if by_amount:
        start_the_laws_clock(case, policy_at(case.policy_version), crossed_at, by=by)
    return to_level(case, level, crossed_at=crossed_at, knowable_at=knowable_at, by=by)
