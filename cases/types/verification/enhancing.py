"""A verification that runs already asks for what is called for by now: a higher level, enhanced due diligence."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts
from audit.record import record
from cases.models import Case
from cases.types.verification import requirements, simplified
from cases.types.verification.locking import locked
from cases.types.verification.models import VerificationFacts
from cases.types.verification.risk import calling
from compliance.people.models import Customer
from compliance.proposals.services import void_overtaken
from compliance.rulebook.queries import policy_at


@transaction.atomic
def catch_up(case: Case, *, by: Acts) -> bool:
    """Whether the case asks for more from now on, as what became known since it asked last calls for it."""
    case, now = locked(case), timezone.now()
    if case.closed_at:
        return False
    customer = Customer.objects.select_related("licensee").get(pk=case.customer_id)
    level = simplified.at_least(policy_at(case.policy_version), customer, case.level, on=case.licensee.today())
    rose = to_level(case, level, crossed_at=now, knowable_at=now, by=by)
    return enhance(case, by=by) or rose


@transaction.atomic
def to_level(case: Case, level: str, *, crossed_at: datetime, knowable_at: datetime, by: Acts) -> bool:
    """Whether the level rose: not where the case asks for as much, or its pinned policy does not know the level."""
    case = locked(case)
    levels, before = list(policy_at(case.policy_version).verification.levels), case.level
    if level not in levels or (before in levels and levels.index(level) <= levels.index(before)):
        return False
    VerificationFacts.objects.filter(case=case).update(level=level)
    case.verification_facts.level = level
    requirements.make(case, crossed_at=crossed_at, knowable_at=knowable_at)
    record("verification.raise", by=by, about=case, details={"level": level, "from_level": before})
    return True


@transaction.atomic
def enhance(case: Case, *, by: Acts) -> bool:
    """Whether the case asks from now on for what enhanced due diligence calls for. It never stops asking for it: a
    level that was lowered since is a decision on the risk, not on what was asked. What was proposed before is void.
    """
    case, now = locked(case), timezone.now()
    if case.closed_at or not calling.is_owed(case):
        return False
    VerificationFacts.objects.filter(case=case).update(enhanced=True)
    case.verification_facts.enhanced = True
    requirements.make(case, crossed_at=now, knowable_at=now, called_for=calling.called_for_since(case.customer))
    record("verification.enhance", by=by, about=case, details={"level": case.level})
    void_overtaken(case)
    return True
