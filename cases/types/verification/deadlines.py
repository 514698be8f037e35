"""A time that was given passed: the system carries out in one act what the policy states."""

import logging
from collections.abc import Callable

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import system
from audit.perform import ConditionsNotMet, WrongState, perform
from cases.clocks import services as clocks
from cases.types.verification import funds, holds, rules
from cases.types.verification.models import KIND, Verification
from cases.types.verification.services import decision, ended, locked
from compliance.policy import PolicyMissing, PolicyNotVerified

log = logging.getLogger(__name__)


@transaction.atomic
def lapse(case: Verification) -> Verification:
    """The player did not answer in time: the case ends and play stops, in one act."""
    case = _whole(case)
    case = perform(case.lapse, by=system(), reason="no_answer", details=decision(case), at=timezone.now())
    holds.hold(case, case.outcome, by=system(), reason="no_answer")
    return ended(case, "lapsed", by=system())


@transaction.atomic
def overrun(case: Verification) -> Verification:
    """Due diligence was not complete when the law's time passed: what the policy states follows, in one act.

    The case ends, deposits and play stop, the balance waits for the decision of two persons. Whose turn it was makes no
    difference. Whether to report anything is the reporting officer's.
    """
    case = _whole(case)
    follows = rules.when_late(case)
    case = perform(case.overrun, by=system(), reason="law_time_over", details=decision(case), at=timezone.now())
    for clock in rules.laws_clocks().filter(case=case):
        clocks.stop(clock, by=system())
    holds.hold(case, case.outcome, by=system(), reason="law_time_over")
    if "decide_on_balance" in follows:
        funds.open_decision(case, by=system())
    return ended(case, "law_time_over", by=system())


def _whole(case: Verification) -> Verification:
    """The case, locked. WrongState for one that was merged: it waits in the other."""
    case = locked(case)
    if case.merged_into_id is not None:
        raise WrongState(str(_("This case was merged into another one. The work goes on there.")))
    return case


def lapse_overdue() -> int:
    """Every case that waits longer than its player was given. How many lapsed. What was merged waits in the other."""
    late = Verification.objects.open().filter(state="waiting", verification_facts__answer_due_at__lte=Now())
    lapsed = 0
    for case in late.order_by("verification_facts__answer_due_at"):
        lapsed += _carried_out(lapse, case)
    return lapsed


def overrun_overdue() -> int:
    """Every case whose time by law passed and whose policy states what follows. How many ended."""
    over = rules.laws_clocks().filter(case__kind=KIND, case__closed_at=None, case__merged_into=None)
    pinned = over.order_by().values_list("case__policy_version", flat=True).distinct()
    stating = [version for version in pinned if "end" in rules.stated_when_late(version)]
    found = Verification.objects.filter(pk__in=over.filter(case__policy_version__in=stating).values("case"))
    return sum(_carried_out(overrun, case) for case in found.order_by("opened_at", "pk"))


def _carried_out(act: Callable[[Verification], Verification], case: Verification) -> bool:
    """Whether it was. A case that cannot be ended by its policy is logged and keeps nobody behind it waiting."""
    try:
        act(case)
    except (ConditionsNotMet, WrongState):  # the answer came, or somebody decided, a moment ago
        return False
    except (PolicyMissing, PolicyNotVerified):
        log.exception("%s: the policy does not say how this ends", case.number)
        return False
    return True
