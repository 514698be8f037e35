"""What two persons confirm themselves, where nobody is set up to answer: an answer like any other, marked `by_hand`."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from audit.actors import Acts, system
from audit.perform import perform
from cases.types.verification.checks.models import Check, Result

BY_HAND = "by_hand"


def confirm_by_hand(case: Any, kinds: Iterable[str], *, by: Acts) -> None:
    """In the transaction of the act that two persons decided."""
    now = timezone.now()
    for kind in kinds:
        check = Check.objects.create(case_id=case.pk, kind=kind, asked_at=now, asked_by=str(by.audit_actor))
        perform(check.answer, by=system(), result=Result.MATCH.value, codes=[BY_HAND], said_at=now)
