"""Clocks of a case: three service targets counted in working time, and statutory ones that run on and never pause."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.clocks.working import WorkingHours
from cases.models import Case, Queue


class Kind(models.TextChoices):
    FIRST_RESPONSE = "first_response", _("First response")
    NEXT_RESPONSE = "next_response", _("Next response")
    RESOLUTION = "resolution", _("Resolution")
    STATUTORY = "statutory", _("Legal deadline")


class QueueHours(models.Model):
    """When a queue works, and its targets in minutes of working time by kind. Clocks copy both when they start, so a
    change holds for what starts later.
    """

    queue = models.OneToOneField(Queue, on_delete=models.PROTECT, related_name="+", primary_key=True)
    hours = models.JSONField()
    targets = models.JSONField()
    set_at = models.DateTimeField()

    class Meta:
        default_permissions = ()


class Clock(models.Model):
    """One clock. `hours` and `target` are those of its start; a statutory one has no hours: it counts real time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=16, choices=Kind)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The rule of the policy behind a legal deadline"))
    hours = models.JSONField(default=dict)
    target = models.DurationField()
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(
        null=True, db_default=Now(), help_text=_("When the sweep looks at it next; not while it is paused")
    )

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "kind", "rule"], condition=Q(stopped_at=None), name="clock_one_running_of_a_kind"
            ),
            models.CheckConstraint(condition=Q(target__gt=timedelta()), name="clock_target_positive"),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(stopped_at__gte=F("started_at")), name="clock_stops_after_start"
            ),
            models.CheckConstraint(
                condition=Q(kind="statutory", hours={}) & ~Q(rule="") | ~Q(kind="statutory") & ~Q(hours={}),
                name="clock_statutory_counts_real_time_and_names_its_rule",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["case", "id"], condition=Q(stopped_at=None), name="clock_running_by_case_id"),
            models.Index(fields=["look_at", "id"], condition=Q(stopped_at=None), name="clock_running_by_look"),
        ]

    @property
    def audit_matter(self) -> str:
        return self.case.number

    @property
    def audit_subject(self) -> SubjectRef:
        return self.case.audit_subject

    @property
    def working(self) -> WorkingHours | None:
        """None: real time."""
        return WorkingHours.read(self.hours) if self.hours else None

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"


class Pause(models.Model):
    """Time that does not count, with its reason. A statutory clock has none (services.pause refuses it).."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="pauses")
    reason = models.CharField(max_length=40)
    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=60, help_text=_("Actor, as kind:id"))
    ended_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(
        null=True, help_text=_("When those who should hear of a long pause were told, or nobody was there to hear")
    )

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clock"], condition=Q(ended_at=None), name="pause_one_open"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="pause_ends_after_start"
            ),
        ]

    def span(self, until: Any) -> tuple[Any, Any]:
        return self.began_at, self.ended_at or until
