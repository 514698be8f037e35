"""How risky a customer is, and why: each assessment with its arithmetic, what an officer decided otherwise."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from compliance.people.models import Customer, Risk, User


class Assessment(models.Model):
    """One reckoning. The newest of a customer holds; rows are never changed.

    `parts_sealed` is the arithmetic as JSON (which facts, how many points): it can say that somebody is politically
    exposed, so it goes with the customer's key. `basis` names the versions of the model and of the lists.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="assessments")
    assessed_at = models.DateTimeField()
    because = models.CharField(max_length=20)
    by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))
    reckoned = models.CharField(max_length=10, choices=Risk, help_text=_("What the arithmetic says"))
    level = models.CharField(max_length=10, choices=Risk, help_text=_("What holds, with an officer's decision"))
    score = models.PositiveSmallIntegerField()
    basis = models.JSONField()
    parts_sealed = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["customer", "-assessed_at"], name="assessment_newest")]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))


class Profile(models.Model):
    """How a customer stands now: the newest assessment, and the day of the next review."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="risk_profile")
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    reviewed_on = models.DateField(help_text=_("The day from which the cycle runs"))
    review_on = models.DateField(db_index=True)

    class Meta:
        default_permissions = ()


class Override(models.Model):
    """An officer's decision on the level, with a reason and a last day. One at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="risk_overrides")
    level = models.CharField(max_length=10, choices=Risk)
    reason = models.CharField(max_length=40)
    note_sealed = models.BinaryField(null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    until = models.DateField(help_text=_("Its last day"))
    ended_at = models.DateTimeField(null=True)
    by_two = models.BooleanField(default=False, help_text=_("Decided by two: it may hold the level below the sum"))

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer"], condition=Q(ended_at=None), name="one_override_at_a_time")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))
