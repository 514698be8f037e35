"""Why somebody looks at a player without a case of theirs, and what stands out about who looks at whom."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.glass.models import LEADS, OFFICE, REVIEW_OPENINGS, Opening
from cases.models import Case, Queue
from cases.permissions import DECIDE, WORK, granted, is_key, may
from compliance.people.duty.services import desks_of
from compliance.people.models import Customer, User
from compliance.people.permissions import on_the_aml_side
from compliance.proposals.models import Proposal


class ReasonQuerySet(models.QuerySet["Reason"]):
    def holding(self, user: Any, customer_id: Any) -> Self:
        return self.filter(user_id=user.pk, customer_id=customer_id, until__gt=Now())

    def is_missing(self, user: Any, case: Any) -> bool:
        """Whether this person has to say why before a page shows this player.

        Nobody asks whoever works with the player: the case is theirs, or waits for anybody; another open case of the
        player is theirs; a decision on it waits for them; it was opened by exception, with a reason. Nor those whose
        office is looking (they work on no queue), nor the AML side, which leaves no traces outside of it.
        """
        if settings.LOOK_REASON != "asked" or is_key(user) or (case.closed_at is None and case.assignee_id is None):
            return False
        desks = desks_of(user)
        if case.assignee_id in desks or self.holding(user, case.customer_id).exists():
            return False
        if on_the_aml_side(user) or not granted(user, WORK, Queue).exists():
            return False
        theirs = Case.objects.filter(customer_id=case.customer_id, assignee__in=desks, closed_at=None)
        parked = (
            Proposal.objects.of_log("main").parked().filter(subject_id=case.pk).exclude(maker_human_id=user.human_id)
        )
        return not (
            theirs.exists()
            or (parked.exists() and may(user, DECIDE, case))
            or Opening.objects.running().of(user).filter(case_id=case.pk).exists()
        )


class Reason(models.Model):
    """Holds for some hours, for one person and one player. The entry of the log stays; this row goes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    because = models.CharField(max_length=20)
    until = models.DateTimeField(db_index=True)

    objects: ClassVar = ReasonQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["user", "customer", "until"], name="looking_reason_holding")]


class FactQuerySet(StatefulQuerySet["Fact"]):
    def visible_to(self, user: Any) -> Self:
        """Of people of the teams that one leads, or of everybody where that is one's office. Never of oneself."""
        if not user.is_active or not user.has_perm(REVIEW_OPENINGS):
            return self.none()
        rows = self.exclude(user__human_id=user.human_id)
        if user.memberships.filter(role=OFFICE).exists():
            return rows
        led = user.memberships.filter(role=LEADS).values("team")
        return rows.filter(user__memberships__team__in=led).distinct()


def may_settle(fact: Any, user: Any) -> bool:
    return bool(Fact.objects.visible_to(user).filter(pk=fact.pk).exists())


class Fact(Stateful):
    """Something that a supervisor should ask about: open -> explained / wrong. It accuses nobody by itself.

    `count` is how many players, `usual` the median of the others with the same roles. `note_sealed` is under the key of
    the person whom it is about.
    """

    audit_prefix = "looking"

    class State(models.TextChoices):
        OPEN = "open", _("To ask about")
        EXPLAINED = "explained", _("Explained")
        WRONG = "wrong", _("Not in order")

    class Kind(models.TextChoices):
        MANY = "many", _("Many more players than the others look at, without a case of their own")
        WITHOUT_CASE = "without_case", _("Players without any open case")
        SAME_NAME = "same_name", _("A player with the same surname")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="looking_facts")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    day = models.DateField()
    count = models.PositiveIntegerField()
    usual = models.PositiveIntegerField(null=True)
    state = StateField(default=State.OPEN, choices=State, protected=True)
    noticed_at = models.DateTimeField(auto_now_add=True)
    settled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True)
    note_sealed = models.BinaryField(null=True)

    objects: ClassVar = FactQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions: ClassVar = [("see_lookers", "Can see who looked at a player")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["open", "explained", "wrong"]), name="looking_fact_state"),
            models.UniqueConstraint(
                fields=["user", "kind", "day", "customer"], nulls_distinct=False, name="looking_fact_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_by=None, settled_at=None)
                | (~Q(state="open") & Q(settled_by__isnull=False, settled_at__isnull=False)),
                name="looking_fact_settled_together",
            ),
            models.CheckConstraint(
                condition=Q(settled_by=None) | ~Q(settled_by=models.F("user")), name="looking_fact_not_settled_by_them"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["noticed_at"], condition=Q(state="open"), name="looking_fact_open")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.user_id))

    def _settle(self, by: Any, sealed: bytes | None, at: Any) -> None:
        self.settled_by_id, self.note_sealed, self.settled_at = by.pk, sealed, at

    @transition("state", source=State.OPEN, target=State.EXPLAINED, permission=may_settle)
    def explain(self, *, by: Acts, sealed: bytes | None, at: Any) -> None:
        """There was a good reason."""
        self._settle(by, sealed, at)

    @transition("state", source=State.OPEN, target=State.WRONG, permission=may_settle)
    def object(self, *, by: Acts, sealed: bytes | None, at: Any) -> None:
        """There was none."""
        self._settle(by, sealed, at)
