"""Exceptional access to one restricted case: who, why, until when, and what a supervisor found afterwards."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.models import Case
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import User

OPEN_RESTRICTED, REVIEW_OPENINGS = "glass.open_restricted", "glass.review_openings"
LONGEST = timedelta(minutes=60)


class OpeningQuerySet(StatefulQuerySet["Opening"]):
    def running(self) -> Self:
        """Open now, by the database's clock. What was found unjustified ended with that."""
        return self.filter(opened_at__lte=Now(), ends_at__gt=Now()).exclude(state=Opening.State.UNJUSTIFIED)

    def of(self, user: Any) -> Self:
        return self.filter(user_id=user.pk)

    def visible_to(self, user: Any) -> Self:
        """Those that this person may review: of the teams that they lead, or all where that is their office.

        Never their own, under any sign-in, and never about a player whom they know.
        """
        if not user.is_active or not user.has_perm(REVIEW_OPENINGS):
            return self.none()
        known = declared_by(user).values("customer")
        rows = self.exclude(user__human_id=user.human_id).exclude(case__customer__in=known)
        if user.memberships.filter(role=OFFICE).exists():
            return rows
        led = user.memberships.filter(role=LEADS).values("team")
        return rows.filter(case__queue__team__in=led)


LEADS, OFFICE = "manager", "privacy_officer"


def may_review(opening: Any, user: Any) -> bool:
    return bool(Opening.objects.visible_to(user).filter(pk=opening.pk).exists())


class Opening(Stateful):
    """waiting -> justified / unjustified. The access itself ends by the clock, whatever the review says or when.

    It lets its user see the one case, never work on it or decide it. `note_sealed` and `review_sealed` are under the
    player's key.
    """

    audit_prefix = "glass"

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for its review")
        JUSTIFIED = "justified", _("Justified")
        UNJUSTIFIED = "unjustified", _("Not justified")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="openings")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="openings")
    state = StateField(default=State.WAITING, choices=State, protected=True)
    because = models.CharField(max_length=20)
    note_sealed = models.BinaryField()
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    review_due_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    review_sealed = models.BinaryField(null=True)

    objects: ClassVar = OpeningQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions: ClassVar = [
            ("open_restricted", "Can open one restricted case by exception"),
            ("review_openings", "Can review exceptional accesses"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "justified", "unjustified"]), name="opening_state"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at")) & Q(ends_at__lte=F("opened_at") + LONGEST),
                name="opening_lasts_an_hour_at_most",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", reviewed_by=None, reviewed_at=None)
                | (~Q(state="waiting") & Q(reviewed_by__isnull=False, reviewed_at__isnull=False)),
                name="opening_reviewed_together",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("user")), name="opening_not_reviewed_by_its_user"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "ends_at"], name="opening_by_user"),
            models.Index(fields=["review_due_at"], condition=Q(state="waiting"), name="opening_to_review"),
        ]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject

    def _reviewed(self, by: Any, sealed: bytes | None, at: Any) -> None:
        self.reviewed_by_id, self.review_sealed, self.reviewed_at = by.pk, sealed, at

    @transition("state", source=State.WAITING, target=State.JUSTIFIED, permission=may_review)
    def find_justified(self, *, by: Acts, sealed: bytes | None, at: Any) -> None:
        """The reason was good."""
        self._reviewed(by, sealed, at)

    @transition("state", source=State.WAITING, target=State.UNJUSTIFIED, permission=may_review)
    def find_unjustified(self, *, by: Acts, sealed: bytes | None, at: Any) -> None:
        """It was not: what is left of the time ends now."""
        self._reviewed(by, sealed, at)
