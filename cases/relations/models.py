"""What ties cases together: links, merges; and who follows a case."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import User


class Link(models.Model):
    """Two cases that have to do with each other. Each page shows it to who may see the other case too."""

    class Kind(models.TextChoices):
        SAME = "same", _("Same matter")
        FOLLOWS = "follows", _("Came out of it")
        SEE = "see", _("See also")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    one = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links_from")
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links_to")
    kind = models.CharField(max_length=10, choices=Kind)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["one", "other"], name="link_once"),
            models.CheckConstraint(condition=~Q(one=F("other")), name="link_of_two_cases"),
        ]


class Merge(models.Model):
    """One case was merged into another of the same kind and player: what was moved, so that it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="merges")
    target = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=40)
    due_before = models.DateTimeField(help_text=_("The target's due time before"))
    due_after = models.DateTimeField(help_text=_("The earlier of both"))
    moved_tasks = models.JSONField(default=list, help_text=_("Ids of the open tasks that went along"))
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source"], condition=Q(undone_at=None), name="merge_once_at_a_time"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="merge_of_two_cases"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="merge_undone_at_and_by_together",
            ),
        ]

    @property
    def audit_matter(self) -> str:
        return self.source.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.source.audit_subject


class Watcher(models.Model):
    """Somebody who is told of what happens to a case, while they may see it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watched")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "user"], name="watcher_once")]
