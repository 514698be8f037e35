"""Tags: words of a licensee's own list, put on cases."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import Licensee, User


class Tag(models.Model):
    """One word of the list. A retired one stays on the cases that have it and is offered for no other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="tags")
    name = models.CharField(max_length=30, help_text=_("Of a matter, never of a person"))
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint("licensee", Lower("name"), name="tag_once_per_licensee")]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tagged")
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="tagged")
    tagged_at = models.DateTimeField(auto_now_add=True)
    tagged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "tag"], name="tagging_once")]
        indexes: ClassVar = [models.Index(fields=["tag", "case"], name="tagging_by_tag")]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject
