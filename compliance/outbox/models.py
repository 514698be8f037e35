"""The outbox: what must follow an act, written in the transaction of the act."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compliance.outbox.queries import OutboxQuerySet


class OutboxRow(models.Model):
    """One thing to deliver. It ends done, or parked (`failed_at`) for a human, who has it tried again or drops it.

    `payload` holds ids and codes only; `last_error` a class name, never its text, which may quote personal data.
    Rows of one `subject` are delivered in the order of `position`; without a subject a row waits for nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    subject = models.CharField(max_length=80, blank=True, help_text=_("What has to be told of in order"))
    position = models.BigIntegerField(
        db_default=Func(Value("outbox_position"), function="nextval", output_field=models.BigIntegerField()),
        editable=False,
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now())
    woken_at = models.DateTimeField(null=True, help_text=_("When a worker was last told"))
    claimed_at = models.DateTimeField(null=True, help_text=_("When a worker took it"))
    attempts = models.PositiveSmallIntegerField(default=0)
    lost = models.PositiveSmallIntegerField(default=0, help_text=_("Attempts whose worker never came back"))
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True, help_text=_("When somebody decided that it will not be delivered"))
    last_error = models.CharField(max_length=120, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("settle_outboxrow", "Can look at what could not be delivered, retry and drop it")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(failed_at=None), name="outbox_done_or_parked_not_both"
            ),
            models.CheckConstraint(
                condition=Q(done_at=None, failed_at=None) | Q(claimed_at=None), name="outbox_nobody_holds_what_ended"
            ),
            models.CheckConstraint(
                condition=Q(dropped_at=None) | Q(failed_at__isnull=False), name="outbox_dropped_was_parked"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(done_at=None, failed_at=None), name="outbox_open_by_due"),
            models.Index(fields=["done_at"], condition=Q(done_at__isnull=False), name="outbox_done_by_day"),
            models.Index(fields=["failed_at"], condition=Q(failed_at__isnull=False), name="outbox_parked"),
            models.Index(
                fields=["subject", "position"],
                condition=Q(done_at=None, dropped_at=None) & ~Q(subject=""),
                name="outbox_in_turn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
