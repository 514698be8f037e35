"""Events, endpoints, and what became of each delivery. Times are UTC by the database's clock."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compliance.people.models import Licensee, User
from compliance.platform.webhooks.queries import DeliveryQuerySet, EndpointQuerySet, EventQuerySet


class Event(models.Model):
    """Something that a platform may want to know. `data` holds ids and codes that the platform knows already.

    `position` grows in the order of the commits (`events.emit` sees to it): who read up to one missed none before it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.BigIntegerField(
        db_default=Func(Value("webhooks_position"), function="nextval", output_field=models.BigIntegerField()),
        editable=False,
        unique=True,
    )
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=60)
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar = EventQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["licensee", "position"], name="event_by_licensee"),
            models.Index(fields=["created_at"], name="event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"

    @property
    def public_id(self) -> str:
        """What a receiver knows a repeat by: the same in every attempt, in the feed and after a resend."""
        return f"evt_{self.pk.hex}"


class Endpoint(models.Model):
    """Where a licensee's events go. The secret is sealed; the former one still signs until `former_until`.

    Without `types` it gets all of them. Who disabled it: staff, the receiver by answering 410 ("gone"), or we after
    three days without one success ("failing"). What waits for a disabled endpoint goes on when it is enabled.
    """

    class Because(models.TextChoices):
        STAFF = "staff", _("Switched off here")
        GONE = "gone", _("The receiver answered that it is gone")
        FAILING = "failing", _("Nothing could be delivered for three days")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    licensee = models.ForeignKey(Licensee, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    secret_sealed = models.BinaryField()
    former_secret_sealed = models.BinaryField(null=True)
    former_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_because = models.CharField(max_length=10, blank=True, choices=Because)

    objects: ClassVar = EndpointQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("manage_endpoint", "Can add and change endpoints, and read what was delivered")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_because="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_because="")),
                name="endpoint_disabled_at_and_because_together",
            ),
            models.CheckConstraint(
                condition=Q(former_secret_sealed=None, former_until=None)
                | Q(former_secret_sealed__isnull=False, former_until__isnull=False),
                name="endpoint_former_secret_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event on its way to one endpoint. It ends done, or given up; a resend opens it again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deliveries")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now())
    woken_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text=_("Since it was posted, or sent again by somebody"))
    done_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects: ClassVar = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once_per_event_and_endpoint"),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(given_up_at=None), name="delivery_done_or_given_up_not_both"
            ),
            models.CheckConstraint(
                condition=Q(done_at=None, given_up_at=None) | Q(claimed_at=None),
                name="delivery_nobody_holds_what_ended",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "due_at"], condition=Q(done_at=None, given_up_at=None), name="delivery_open_by_due"
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_log"),
        ]

    @property
    def state(self) -> str:
        """delivered, given_up, retrying or waiting: rows of compliance.look.STATES under "delivery."."""
        if self.done_at:
            return "delivered"
        if self.given_up_at:
            return "given_up"
        return "retrying" if self.tries else "waiting"


class Attempt(models.Model):
    """One call. `status` is the receiver's, `error` our code where there was none or it was no answer of 2xx.

    The first kilobyte of what it said is sealed: nobody knows what a receiver may quote.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    made_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=30, blank=True)
    reply_sealed = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["delivery", "made_at"], name="attempt_by_delivery")]
