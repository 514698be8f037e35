"""Verification: who is this player, and does the evidence carry the level asked for?"""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, System
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, is_key, may
from cases.queries import CaseQuerySet
from cases.types.verification import holds
from cases.types.verification.rules import (
    ONE_OPEN,
    another_is_open,
    evidence_is_complete,
    level_of,
    time_is_over,
    what_is_missing,
)

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
            return [*what_is_missing(self), *holds.stands_against_approval(self)]
        if move == "lapse" and not time_is_over(self):
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


class VerificationFacts(models.Model):
    """What only a verification has."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="verification_facts")
    level = models.CharField(max_length=10)
    asked_at = models.DateTimeField(null=True, help_text=_("When the player was last asked for something"))
    answer_due_at = models.DateTimeField(null=True, help_text=_("When a case that waits lapses"))

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["answer_due_at"], condition=Q(answer_due_at__isnull=False), name="verification_by_answer_due"
            )
        ]
