"""Verification: who is this player, and does the evidence carry the level asked for?"""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from cases.models import Case, Evidence
from cases.permissions import DECIDE, VIEW, WORK, is_key, may
from cases.queries import CaseQuerySet
from cases.types.verification import ages, holds, simplified, traps
from cases.types.verification.checks import rules as checks
from cases.types.verification.risk import calling
from cases.types.verification.rules import (
    ONE_OPEN,
    another_is_open,
    evidence_is_complete,
    law_time_is_over,
    level_of,
    time_is_over,
    what_is_missing,
    when_unanswered,
)
from compliance.people.models import User

KIND = "verification"


def may_work(case: Any, user: Any) -> bool:
    return may(user, WORK, case)


def may_decide(case: Any, user: Any) -> bool:
    """Whether a second person is needed is the proposal's business, not asked here."""
    return may(user, DECIDE, case)


def is_system(case: Any, user: Any) -> bool:
    return isinstance(user, System)


def may_work_or_system(case: Any, user: Any) -> bool:
    return isinstance(user, System) or may(user, WORK, case)


def may_withdraw(case: Any, user: Any) -> bool:
    """Staff for a player who asked, and the platform, whose key speaks for its players."""
    return may(user, WORK, case) or (is_key(user) and may(user, VIEW, case))


class State(models.TextChoices):
    OPEN = "open", _("New")
    IN_REVIEW = "in_review", _("In review")
    WAITING = "waiting", _("Waiting for the player")
    CLOSED = "closed", _("Finished")


class Outcome(models.TextChoices):
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Refused")
    LAPSED = "lapsed", _("Lapsed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    UNDERAGE = "underage", _("Under age")
    DECEASED = "deceased", _("Deceased")
    IMPERSONATED = "impersonated", _("Impersonated")


class VerificationQuerySet(CaseQuerySet):
    """Only rows of this kind."""


class VerificationManager(models.Manager.from_queryset(VerificationQuerySet)):  # type: ignore[misc]
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(kind=KIND)


class Verification(Case):
    """open -> in_review <-> waiting; open / in_review / waiting -> closed; closed -> in_review by two persons."""

    State = State
    Outcome = Outcome
    audit_prefix = KIND

    objects: ClassVar[Any] = VerificationManager()

    class Meta:
        proxy = True
        default_permissions = ()
        base_manager_name = "objects"

    @property
    def level(self) -> str:
        """The verification level this case is to reach, such as L2."""
        return level_of(self)

    def unmet(self, move: str) -> list[str]:
        if move == "approve":
            asked: tuple[Any, ...] = (what_is_missing, ages.stands_against_approval, holds.stands_against_approval)
            asked += (checks.stands_against_approval, calling.stands_against_approval)
            asked += (simplified.stands_against_approval,)
            return [line for one in asked for line in one(self)]
        if move == "overrun" and not law_time_is_over(self):
            return [str(_("The law’s time is not over, or the policy says nothing of what follows."))]
        if move == "confirm_checks":
            return checks.cannot_be_confirmed_by_hand(self)
        if move == "lapse" and (when_unanswered(self) != "lapse" or not time_is_over(self)):
            return [str(_("The player still has time to answer."))]
        if move == "lift":
            return holds.unliftable(self)
        if move == "reopen" and another_is_open(self.customer_id, but=self.pk):
            return [str(ONE_OPEN)]
        return []

    def _close(self, outcome: str, reason: str, at: Any) -> None:
        self.outcome, self.reason, self.closed_at, self.waiting_for = outcome, reason, at, ""

    @transition("state", source=State.OPEN, target=State.IN_REVIEW, permission=may_work)
    def review(self, *, by: Acts) -> None:
        """Somebody starts to look. Who starts is responsible, if nobody was."""
        self.assignee_id = self.assignee_id or by.pk  # type: ignore[attr-defined]

    @transition("state", source=State.IN_REVIEW, target=State.WAITING, permission=may_work)
    def ask(self, *, by: Acts) -> None:
        """The player has to bring something."""
        self.waiting_for = "player"

    @transition("state", source=State.WAITING, target=State.IN_REVIEW, permission=may_work_or_system)
    def resume(self, *, by: Acts) -> None:
        """What was asked for arrived."""
        self.waiting_for = ""

    @transition(
        "state", source=State.IN_REVIEW, target=State.CLOSED, permission=may_decide, conditions=[evidence_is_complete]
    )
    def approve(self, *, by: Acts, reason: str, at: Any) -> None:
        self._close(Outcome.APPROVED, reason, at)

    @transition(
        "state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=may_decide
    )
    def reject(self, *, by: Acts, reason: str, at: Any) -> None:
        self._close(Outcome.REJECTED, reason, at)

    @transition(
        "state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=may_withdraw
    )
    def withdraw(self, *, by: Acts, reason: str, at: Any) -> None:
        """The player asked to stop."""
        self._close(Outcome.WITHDRAWN, reason, at)

    @transition("state", source=State.WAITING, target=State.CLOSED, permission=is_system)
    def lapse(self, *, by: Acts, reason: str, at: Any) -> None:
        """The time to answer passed."""
        self._close(Outcome.LAPSED, reason, at)

    @transition("state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=is_system)
    def overrun(self, *, by: Acts, reason: str, at: Any) -> None:
        """The time that the law gives for due diligence passed."""
        self._close(Outcome.LAPSED, reason, at)

    @transition(
        "state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=may_decide
    )
    def close_underage(self, *, by: Acts, reason: str, at: Any) -> None:
        """The player is under the minimum age."""
        self._close(Outcome.UNDERAGE, reason, at)

    @transition(
        "state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=may_decide
    )
    def close_deceased(self, *, by: Acts, reason: str, at: Any) -> None:
        """The player has died."""
        self._close(Outcome.DECEASED, reason, at)

    @transition(
        "state", source=[State.OPEN, State.IN_REVIEW, State.WAITING], target=State.CLOSED, permission=may_decide
    )
    def close_impersonated(self, *, by: Acts, reason: str, at: Any) -> None:
        """Somebody else used the identity of the person named."""
        self._close(Outcome.IMPERSONATED, reason, at)

    @transition("state", source=State.CLOSED, target=State.IN_REVIEW, permission=may_decide)
    def reopen(self, *, by: Acts, reason: str) -> None:
        self.outcome, self.reason, self.closed_at = "", "", None


class Because(models.TextChoices):
    """What led to a verification. Beyond an application, nobody asked for it: the player hears of it when asked."""

    APPLICATION = "application", _("The player applies")
    THRESHOLD = "threshold", _("An amount was reached")
    WITHDRAWAL = traps.WITHDRAWAL, _("The player withdraws")
    NEW_FACT = "new_fact", _("Something new became known")
    PERIODIC = "periodic", _("The periodic review is due")
    EXPIRED = "expired", _("A document is out of date")
    CAMPAIGN = "campaign", _("A campaign looks at many players again")
    FORMER = "former", _("Begun in a former system")


class VerificationFacts(models.Model):
    """What only a verification has."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="verification_facts")
    level = models.CharField(max_length=10)
    because = models.CharField(max_length=20, choices=Because, default=Because.APPLICATION, db_default="application")
    asked_at = models.DateTimeField(null=True, help_text=_("When the player was last asked for something"))
    answer_due_at = models.DateTimeField(null=True, help_text=_("When a case that waits lapses"))
    enhanced = models.BooleanField(
        default=False, db_default=False, help_text=_("Whether what enhanced due diligence asks for is asked for")
    )

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["answer_due_at"], condition=Q(answer_due_at__isnull=False), name="verification_by_answer_due"
            )
        ]


class Requirement(models.Model):
    """One thing that a case asks for, and its four days: no player is asked late for what could be asked before.

    `crossed_at` is when the duty arose (a registration, an amount reached), `knowable_at` when the operator could first
    have asked, `asked_at` when it did, `due_at` until when the player may bring it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="requirements")
    purpose = models.CharField(max_length=40)
    rule_id = models.CharField(max_length=80, help_text=_("The rule of the pinned policy that asks for it"))
    crossed_at = models.DateTimeField()
    knowable_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "purpose"], name="requirement_once"),
            models.CheckConstraint(
                condition=Q(asked_at=None, due_at=None) | Q(asked_at__isnull=False, due_at__gt=models.F("asked_at")),
                name="requirement_asked_with_a_deadline",
            ),
        ]


class Ruling(models.Model):
    """What somebody or something said of one file, in the order we learned it. Rows are never changed.

    `said_at` is the source's own time, by which a late result is known: `applied` is False for one that came after a
    newer one of the same source, and it changed nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="rulings")
    source = models.CharField(max_length=60, help_text=_("staff, system, or the name of a check"))
    said = models.CharField(
        max_length=20, help_text=_("The verdict, as a state of the evidence or a result of a check")
    )
    codes = models.JSONField(default=list)
    said_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    applied = models.BooleanField(default=True)
    by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["evidence", "source", "-said_at"], name="ruling_by_source")]

    @property
    def audit_matter(self) -> str:
        return self.evidence.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.evidence.case.audit_subject


class FundsDecision(models.Model):
    """What becomes of the money of an account that was closed: opened with the closing, decided by two persons.

    The amount is in the currency's minor units, as the operator's platform showed it at `as_of`.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="funds_decision")
    opened_at = models.DateTimeField()
    decision = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    as_of = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None, decision="", amount=None, currency="", as_of=None)
                | (
                    Q(decided_at__isnull=False, decided_by__isnull=False, amount__gte=0, as_of__isnull=False)
                    & ~Q(decision="")
                    & ~Q(currency="")
                ),
                name="funds_decided_as_a_whole",
            )
        ]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject
