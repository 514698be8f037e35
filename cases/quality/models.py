"""A second look at a closed case by somebody who took no part in it and does not know how it ended."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.models import Case
from compliance.people.conflicts.queries import stands_between
from compliance.people.models import User

LOOK_AGAIN, LEAD_TEAM = "quality.look_again", "quality.lead_team"


class SecondLookQuerySet(StatefulQuerySet["SecondLook"]):
    def visible_to(self, user: Any) -> Self:
        """Those of cases that the user may see; one that they are looking at now hides its case from them."""
        return self.filter(case__in=Case.objects.visible_to(user))

    def held_by(self, user: Any) -> Self:
        """What this person, under any sign-in, took and has not judged yet."""
        return self.filter(state=SecondLook.State.DRAWN, reviewer__human=user.human_id)


def holds_it(look: Any, user: Any) -> bool:
    mine = look.reviewer_id and look.reviewer.human_id == user.human_id
    return bool(mine and user.has_perm(LOOK_AGAIN) and not stands_between(user, look.audit_subject))


def may_settle(look: Any, user: Any) -> bool:
    """A lead who sees the case, and neither looked again nor had it: nobody settles a quarrel of their own."""
    case = look.case
    took_part = {each.human_id for each in (look.reviewer, case.assignee) if each is not None}
    return bool(
        user.has_perm(LEAD_TEAM)
        and user.human_id not in took_part
        and Case.objects.visible_to(user).filter(pk=look.case_id).exists()
    )


class SecondLook(Stateful):
    """drawn -> agreed, or drawn -> disagreed -> settled. `first_outcome` is how the case had ended at `closed_at`."""

    audit_prefix = "quality"

    class State(models.TextChoices):
        DRAWN = "drawn", _("Waits for a second look")
        AGREED = "agreed", _("Both agree")
        DISAGREED = "disagreed", _("They disagree")
        SETTLED = "settled", _("Settled")

    class Conclusion(models.TextChoices):
        FIRST = "first", _("The first decision was right")
        SECOND = "second", _("The second look is right")
        BOTH = "both", _("Both can be defended: the rule is unclear")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="second_looks")
    state = StateField(default=State.DRAWN, choices=State, protected=True)
    closed_at = models.DateTimeField(help_text=_("The closing that it looks at"))
    first_outcome = models.CharField(max_length=20)
    drawn_at = models.DateTimeField()
    reviewer = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=20, blank=True)
    note_sealed = models.BinaryField(null=True)
    judged_at = models.DateTimeField(null=True)
    conclusion = models.CharField(max_length=10, choices=Conclusion, blank=True)
    settled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True)

    objects: ClassVar = SecondLookQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions: ClassVar = [
            ("look_again", "Take second looks at closed cases"),
            ("lead_team", "See a team's load and settle disagreements"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["drawn", "agreed", "disagreed", "settled"]), name="second_look_state"
            ),
            models.UniqueConstraint(fields=["case", "closed_at"], name="second_look_once_a_closing"),
            models.CheckConstraint(
                condition=Q(state="drawn", outcome="", judged_at=None)
                | (~Q(state="drawn") & ~Q(outcome="") & Q(judged_at__isnull=False, reviewer__isnull=False)),
                name="second_look_judged_together",
            ),
            models.CheckConstraint(
                condition=Q(state="settled", settled_by__isnull=False, settled_at__isnull=False) & ~Q(conclusion="")
                | (~Q(state="settled") & Q(settled_by=None, settled_at=None, conclusion="")),
                name="second_look_settled_together",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["drawn_at"], condition=Q(state="drawn"), name="second_look_waiting"),
            models.Index(fields=["judged_at"], condition=Q(judged_at__isnull=False), name="second_look_judged"),
        ]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject

    def _judge(self, outcome: str, note: bytes | None, at: Any) -> None:
        self.outcome, self.note_sealed, self.judged_at = outcome, note, at

    @transition("state", source=State.DRAWN, target=State.AGREED, permission=holds_it)
    def agree(self, *, by: Acts, outcome: str, sealed: bytes | None, at: Any) -> None:
        """The same outcome, found without knowing the first."""
        self._judge(outcome, sealed, at)

    @transition("state", source=State.DRAWN, target=State.DISAGREED, permission=holds_it)
    def disagree(self, *, by: Acts, outcome: str, sealed: bytes | None, at: Any) -> None:
        """Another outcome: it comes back to the team."""
        self._judge(outcome, sealed, at)

    @transition("state", source=State.DISAGREED, target=State.SETTLED, permission=may_settle)
    def settle(self, *, by: Any, conclusion: str, at: Any) -> None:
        """What the team learns of it. The case itself changes only by being reopened."""
        self.conclusion, self.settled_by_id, self.settled_at = conclusion, by.pk, at
