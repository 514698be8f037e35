"""Notices to staff, and how each person wants them."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from cases.notices.kinds import KINDS, Kind
from compliance.people.models import Team, User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: Any) -> Self:
        """Theirs, on cases that they may still see: a right that ends takes its notices along."""
        return self.filter(user_id=user.pk, case__in=Case.objects.visible_to(user).order_by().values("pk"))

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(models.Model):
    """Something on a case that one person should know of. It holds no words: its kind has them, the case the rest.

    `key` names the event, so that it is told once whoever tells it and however often.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    in_page = models.BooleanField()
    by_mail = models.BooleanField()
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True, help_text=_("When it was given to a letter"))

    objects: ClassVar = NoticeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "key"], name="notice_once"),
            models.CheckConstraint(condition=Q(in_page=True) | Q(by_mail=True), name="notice_goes_somewhere"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-made_at", "id"], name="notice_by_user"),
            models.Index(fields=["user", "case"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["kind", "key"], name="notice_by_event"),
            models.Index(
                fields=["user", "made_at"],
                condition=Q(by_mail=True, mailed_at=None, read_at=None),
                name="notice_to_mail",
            ),
        ]

    @property
    def of(self) -> Kind:
        return KINDS[self.kind]


class TeamNotices(models.Model):
    """What a team is told of: {kind: [page, mail]} where it differs from the product's, and what nobody changes."""

    team = models.OneToOneField(Team, primary_key=True, on_delete=models.CASCADE, related_name="+")
    choices = models.JSONField(default=dict)
    fixed = models.JSONField(default=list)
    set_at = models.DateTimeField()

    class Meta:
        default_permissions = ()


class NoticePreferences(models.Model):
    """What a person chose: {kind: [page, mail]} where it differs from the default, and when letters may come.

    `hours` is {days: [mon..sun], from: "09:00", to: "18:00"} in the person's zone.
    """

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="+")
    choices = models.JSONField(default=dict)
    hours = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.user_id))
