"""Who is on shift, who is away, and who stands in for them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from compliance.people.models import Human, User


class Shift(models.Model):
    """A person at work, from `began_at` until `ends_at`: under any sign-in one person has one shift.

    It always has an end, so that nobody who forgot to leave is given work in the night.
    """

    human = models.OneToOneField(Human, primary_key=True, on_delete=models.CASCADE, related_name="shift")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", help_text=_("The sign-in that is here"))
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("began_at")), name="shift_ends_after_it_began")
        ]


class Absence(models.Model):
    """A person is away and names a deputy. The deputy works in their own name, with their own rights."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    deputy = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="stands_in")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    named_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(deputy=None) | ~Q(deputy=F("user")), name="absence_deputy_is_another"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "ends_at"], name="absence_by_user"),
            models.Index(fields=["deputy", "ends_at"], name="absence_by_deputy"),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.user_id))
