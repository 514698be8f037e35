"""What takes a verification that waits back to its reviewer: the last file asked for, or a check in its place."""

from django.db import transaction
from django.utils import timezone

from audit.actors import Acts, system
from audit.perform import perform
from cases.models import Case, Evidence
from cases.types.verification import requirements, rules
from cases.types.verification.locking import locked
from cases.types.verification.models import Verification, VerificationFacts
from compliance.proposals.services import void_overtaken


def arrived(case: Verification, evidence: Evidence, *, by: Acts) -> None:
    """A file came in: when it was the last thing we waited for, the case goes back to its reviewer."""
    _go_on(case)


@transaction.atomic
def checked(case: Case) -> None:
    """An electronic check was answered: what it says of an item may meet it, or no longer; what rests on it is void."""
    fresh = locked(case)
    requirements.reckon(fresh, at=timezone.now())
    void_overtaken(fresh)
    _go_on(fresh)


def _go_on(case: Verification) -> None:
    if case.state == Verification.State.WAITING and not rules.awaited(case) and not requirements.awaited(case):
        perform(case.resume, by=system())
        VerificationFacts.objects.filter(case=case).update(answer_due_at=None)
