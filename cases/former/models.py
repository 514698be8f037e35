"""Cases that a former system had begun: under which number, and since when."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import Licensee


class FormerNumber(models.Model):
    case = models.OneToOneField(Case, on_delete=models.PROTECT, primary_key=True, related_name="former")
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=60, help_text=_("Of the case in the former system, never of a person"))
    opened_on = models.DateField()
    note_sealed = models.BinaryField(null=True, help_text=_("What was written about it there"))

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["licensee", "number"], name="former_number_once_per_licensee")
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject
