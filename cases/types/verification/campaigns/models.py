"""A campaign looks at many players again: whom it chose, how many a day, what came of each."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import transition

from audit.actors import Acts, SubjectRef, System
from audit.perform import StateField, Stateful, StatefulQuerySet
from cases.models import Case
from compliance.people.models import Customer, Licensee, User
from compliance.people.reach import decides_for, licensees_of

RUN = "campaigns.run_campaigns"
TRIED = ("opened", "failed")  # results of a player for whom a review was begun


class CampaignQuerySet(StatefulQuerySet["Campaign"]):
    def visible_to(self, user: Any) -> "CampaignQuerySet":
        """Those of licensees for which the person decides in a role that carries the right."""
        if not user.is_active or not user.has_perm(RUN):
            return self.none()
        return self.filter(licensee__in=licensees_of(user, RUN))


def may_run(campaign: Any, by: Any) -> bool:
    """Who decides for its licensee in a role with the right; the product itself may."""
    return bool(decides_for(campaign.licensee, by, RUN))


def is_the_product(campaign: Any, by: Any) -> bool:
    return isinstance(by, System)


class Campaign(Stateful):
    """drafted -> running <-> paused -> done or stopped. `choice` says who is in it (choosing.Choice); its members are
    fixed when it is drafted, and each is asked for a review by itself, `per_day` of them on a day of the licensee.
    """

    audit_prefix = "campaigns"

    class State(models.TextChoices):
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
    state = StateField(default=State.DRAFTED, choices=State, protected=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = CampaignQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        permissions: ClassVar = [("run_campaigns", "Can prepare, confirm and pause campaigns")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(per_day__gt=0), name="campaign_sends_something"),
            models.CheckConstraint(
                condition=Q(state__in=["drafted", "running", "paused", "done", "stopped"]), name="campaign_state"
            ),
            models.CheckConstraint(
                condition=Q(state="drafted", started_at=None)
                | Q(state="stopped", ended_at__isnull=False)
                | Q(state__in=("running", "paused"), started_at__isnull=False, ended_at=None)
                | Q(state="done", started_at__isnull=False, ended_at__isnull=False),
                name="campaign_times_fit_its_state",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["started_at"], condition=Q(state="running"), name="campaign_running")]

    def __str__(self) -> str:
        return self.title

    @transition("state", source=State.DRAFTED, target=State.RUNNING, permission=may_run)
    def start(self, *, by: Acts, at: datetime) -> None:
        """Reach the first players."""
        self.started_at = at

    @transition("state", source=State.RUNNING, target=State.PAUSED, permission=may_run)
    def pause(self, *, by: Acts) -> None:
        """Reach nobody for now."""

    @transition("state", source=State.PAUSED, target=State.RUNNING, permission=may_run)
    def resume(self, *, by: Acts) -> None:
        """Go on where it was. What two persons agreed to goes on as it was agreed."""

    @transition("state", source=[State.DRAFTED, State.RUNNING, State.PAUSED], target=State.STOPPED, permission=may_run)
    def stop(self, *, by: Acts, at: datetime) -> None:
        """End it before everybody was reached. What was opened stays open."""
        self.ended_at = at

    @transition("state", source=State.RUNNING, target=State.DONE, permission=is_the_product)
    def end(self, *, by: Acts, at: datetime) -> None:
        """Everybody was reached."""
        self.ended_at = at


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
