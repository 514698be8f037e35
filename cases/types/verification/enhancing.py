"""A verification that runs already asks for what enhanced due diligence calls for by now, with its rows."""

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts
from audit.record import record
from cases.models import Case
from cases.types.verification import requirements
from cases.types.verification.locking import locked
from cases.types.verification.models import VerificationFacts
from cases.types.verification.risk import calling
from compliance.proposals.services import void_overtaken


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
