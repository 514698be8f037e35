"""One act on many cases: what was asked for, what would happen to each, what happened."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.actors import SubjectRef
from cases.models import Case
from compliance.people.models import User


class Batch(models.Model):
    """Its id is the token: started twice, it runs once; and it names the batch in the entry of every case."""

    class Stage(models.TextChoices):
        ASKED = "asked", _("Being prepared")
        PREVIEWED = "previewed", _("Looked at")
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="batches")
    act = models.CharField(max_length=80)
    inputs = models.JSONField(default=dict, help_text=_("Ids and codes"))
    text_sealed = models.BinaryField(null=True, help_text=_("A note to write; gone when the batch ends"))
    back = models.CharField(max_length=400, blank=True, help_text=_("The query part of the list's address"))
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.ASKED)
    total = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    alive_at = models.DateTimeField(null=True, help_text=_("When a worker last reached a row"))
    ended_at = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["stage", "made_at"], condition=~Q(stage="done"), name="batch_unfinished")
        ]

    @property
    def audit_subject(self) -> SubjectRef:
        return SubjectRef("staff", str(self.asked_by_id))


class Row(models.Model):
    """One case of a batch. `result`: what would happen (will, wont), then what happened (done, proposed, same, refused,
    left). `seen`: of a heavy act, the digest of the evidence at the preview.
    """

    class Result(models.TextChoices):
        WILL = "will", _("Will change")
        WONT = "wont", _("Will not change")
        DONE = "done", _("Changed")
        PROPOSED = "proposed", _("Proposed, waits for a second person")
        SAME = "same", _("Was so already")
        REFUSED = "refused", _("Refused")
        LEFT = "left", _("Not reached")

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    version = models.PositiveIntegerField(help_text=_("Of the case when it was looked at"))
    result = models.CharField(max_length=10, choices=Result, blank=True)
    seen = models.CharField(max_length=128, blank=True, db_default="")
    words = models.CharField(max_length=300, blank=True, help_text=_("Why not, in the words of whoever asked"))

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "case"], name="batch_row_once"),
            models.UniqueConstraint(fields=["batch", "position"], name="batch_row_place"),
        ]
