"""Corrections: what was written stays readable, struck through, with what should stand there and why."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import User


class Correction(models.Model):
    """One correction of a note or contact. The first is number 1; a later one corrects the one before."""

    class Of(models.TextChoices):
        NOTE = "note", _("Internal note")
        CONTACT = "contact", _("Contact")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="corrections")
    of = models.CharField(max_length=10, choices=Of)
    of_id = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=40)
    text_sealed = models.BinaryField(null=True, help_text=_("What should stand there; nothing: it is only struck"))
    corrected_at = models.DateTimeField()
    corrected_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["of_id", "number"], name="correction_number_once")]
        indexes: ClassVar = [models.Index(fields=["case"], name="correction_by_case")]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject
