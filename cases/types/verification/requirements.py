"""What a verification asks for, item by item, with the days that show nobody was asked late on purpose.

Life of a requirement: made when the case is opened (crossed, knowable) -> asked, with a deadline -> met, or the case
lapses. A withdrawal asks for nothing that could have been asked before (GB.KYC.NO_WITHDRAWAL_TRAP).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Value
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.perform import ConditionsNotMet
from cases import texts
from cases.types.verification import rules, traps
from cases.types.verification.models import Because, Requirement
from compliance.policy import Policy
from compliance.policy.schema import EvidenceRule

if TYPE_CHECKING:
    from cases.types.verification.models import Verification


class WithdrawalTrap(ConditionsNotMet):
    """A withdrawal would ask for what could have been asked before. The withdrawal goes on without it."""

    def __init__(self, rule: str, since: datetime) -> None:
        words = _("A withdrawal cannot ask for this: it could have been asked for since {day} ({rule}).")
        super().__init__([str(words).format(day=timezone.localdate(since), rule=rule)])
        self.errors = [{"pointer": "/knowable_at", "code": rule, "detail": self.reasons[0]}]


def refuse_trap(policy: Policy, *, because: str, knowable_at: datetime, asked_at: datetime) -> None:
    """Raises WithdrawalTrap where the law forbids it; the law of no jurisdiction is taken to allow it."""
    if because != Because.WITHDRAWAL or knowable_at >= asked_at:
        return
    if rule := traps.forbidden_by(policy):
        raise WithdrawalTrap(rule, knowable_at)


def make(
    case: "Verification", *, crossed_at: datetime, knowable_at: datetime, called_for: datetime | None = None
) -> None:
    """One row for each thing that the pinned policy asks for. What is there already keeps its days.

    What enhanced due diligence adds could be asked for since it was `called_for`, whatever the level.
    """
    now, at_level = timezone.now(), {rule.purpose for rule in rules.asked_at_level(case)}

    def row(rule: EvidenceRule) -> Requirement:
        known = knowable_at if called_for is None or rule.purpose in at_level else called_for
        days = {"crossed_at": crossed_at, "knowable_at": min(known, now)}
        return Requirement(case=case, purpose=rule.purpose, rule_id=rule.id, **days)

    Requirement.objects.bulk_create(map(row, rules.asked(case)), ignore_conflicts=True)


def move_back(case: "Verification", before: datetime, crossed_at: datetime, *, knowable_at: datetime) -> None:
    """The amount behind these was reached earlier than we knew: a transaction came late."""
    rows = Requirement.objects.filter(case=case, crossed_at=before)
    rows.update(crossed_at=crossed_at, knowable_at=Least("knowable_at", Value(knowable_at)))


def lacking(case: "Verification") -> list[EvidenceRule]:
    """What the level asks for and of which no file is there or on its way, in the policy's order."""
    here = set(case.evidence.exclude(state="superseded").values_list("purpose", flat=True))
    missing = set(rules.missing_evidence(case))
    return [rule for rule in rules.asked(case) if rule.purpose in missing and rule.purpose not in here]


def chosen(case: "Verification", purposes: Iterable[str]) -> list[EvidenceRule]:
    """The rules of items that are asked for though no file was judged. ConditionsNotMet names one that is not open."""
    wanted, open_now = set(purposes), lacking(case)
    if unknown := wanted - {rule.purpose for rule in open_now}:
        raise ConditionsNotMet([str(_("missing: {items} is not open.")).format(items=", ".join(sorted(unknown)))])
    return [rule for rule in open_now if rule.purpose in wanted]


def ask(case: "Verification", purposes: Iterable[str], *, at: datetime, due: datetime) -> None:
    """These are asked for now. The first day asked stays; the deadline is that of the newest request."""
    wanted = set(purposes)
    _make_missing(case, wanted)
    rows = Requirement.objects.filter(case=case, purpose__in=wanted)
    rows.filter(asked_at=None).update(asked_at=at, due_at=due)
    rows.filter(due_at__lt=due).update(due_at=due)


def _make_missing(case: "Verification", purposes: set[str]) -> None:
    """Cases opened before requirements were kept have none: theirs begin with the case."""
    Requirement.objects.bulk_create(
        [
            Requirement(
                case=case,
                purpose=rule.purpose,
                rule_id=rule.id,
                crossed_at=case.opened_at,
                knowable_at=case.opened_at,
            )
            for rule in rules.asked(case)
            if rule.purpose in purposes
        ],
        ignore_conflicts=True,
    )


def awaited(case: "Verification") -> Sequence[str]:
    """Purposes that the player was asked for and that no file came for."""
    asked = Requirement.objects.filter(case=case, asked_at__isnull=False, met_at=None)
    lacks = {rule.purpose for rule in lacking(case)}
    return [purpose for purpose in asked.values_list("purpose", flat=True) if purpose in lacks]


def judged(case: Any, purpose: str, state: str, *, at: datetime) -> None:
    """An acceptance meets the requirement; one that is taken back or out of date opens it again."""
    rows = Requirement.objects.filter(case_id=case.pk, purpose=purpose)
    rows.update(met_at=at if state == "accepted" else None)


def reckon(case: "Verification", *, at: datetime) -> None:
    """An electronic check was answered: what it meets is met, what only it had met is open again."""
    otherwise = set(rules.met_otherwise(case))
    accepted = set(case.evidence.filter(state="accepted").values_list("purpose", flat=True))
    rows = Requirement.objects.filter(case=case)
    rows.filter(met_at=None, purpose__in=otherwise).update(met_at=at)
    rows.filter(met_at__isnull=False).exclude(purpose__in=otherwise | accepted).update(met_at=None)


def shown(case: "Verification") -> list[dict[str, Any]]:
    """The rows with their titles, for the page and for whoever asks when something was asked for."""
    return [
        {"title": texts.purpose_title(row.purpose), "row": row}
        for row in case.requirements.order_by("crossed_at", "rule_id")
    ]
