"""A campaign looks at many players again: whom it chose, how many a day, what came of each."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import Customer, Licensee, User
from compliance.people.reach import licensees_of

RUN = "campaigns.run_campaigns"
TRIED = ("opened", "failed")  # results of a player for whom a review was begun


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, user: Any) -> "CampaignQuerySet":
        """Those of licensees for which the person decides in a role that carries the right."""
        if not user.is_active or not user.has_perm(RUN):
            return self.none()
        return self.filter(licensee__in=licensees_of(user, RUN))


class Campaign(models.Model):
    """drafted -> running <-> paused -> done or stopped. `choice` says who is in it (choosing.Choice); its members are
    fixed when it is drafted, and each is asked for a review by itself, `per_day` of them on a day of the licensee.
    """

    class Stage(models.TextChoices):
        DRAFTED = "drafted", _("Not started")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="campaigns")
    title = models.CharField(max_length=80)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    choice = models.JSONField()
    level = models.CharField(max_length=10, blank=True, help_text=_("Empty: the level that each player has"))
    per_day = models.PositiveIntegerField()
    total = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, help_text=_("Chosen, but not to be asked now"))
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.DRAFTED)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = CampaignQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("run_campaigns", "Can prepare, confirm and pause campaigns")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(per_day__gt=0), name="campaign_sends_something"),
            models.CheckConstraint(
                condition=Q(stage="drafted", started_at=None)
                | Q(stage="stopped", ended_at__isnull=False)
                | Q(stage__in=("running", "paused"), started_at__isnull=False, ended_at=None)
                | Q(stage="done", started_at__isnull=False, ended_at__isnull=False),
                name="campaign_times_fit_its_stage",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["started_at"], condition=Q(stage="running"), name="campaign_running")]

    def __str__(self) -> str:
        return self.title


class Member(models.Model):
    """One player of a campaign. Who cannot be asked when it is their turn is passed over, whatever the cause."""

    class Result(models.TextChoices):
        WAITS = "waits", _("Not reached yet")
        OPENED = "opened", _("A verification was opened")
        PASSED = "passed", _("Passed over: not to be asked now")
        FAILED = "failed", _("Something went wrong on our side")

    id = models.BigAutoField(primary_key=True)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="members")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    result = models.CharField(max_length=10, choices=Result, default=Result.WAITS)
    case = models.OneToOneField(Case, null=True, on_delete=models.PROTECT, related_name="campaign_member")
    reached_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "customer"], name="campaign_member_once"),
            models.UniqueConstraint(fields=["campaign", "position"], name="campaign_member_place"),
            models.CheckConstraint(
                condition=Q(result="waits", case=None, reached_at=None)
                | Q(result="opened", case__isnull=False, reached_at__isnull=False)
                | Q(result__in=("passed", "failed"), case=None, reached_at__isnull=False),
                name="campaign_member_reached_as_a_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["campaign", "position"], condition=Q(result="waits"), name="campaign_member_next"),
            models.Index(
                fields=["campaign", "reached_at"], condition=Q(result__in=TRIED), name="campaign_member_tried"
            ),
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("customer", str(self.customer_id))
