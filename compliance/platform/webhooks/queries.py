"""Questions about events and deliveries. All times are the database's."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from compliance.platform.webhooks.catalogue import TEST

if TYPE_CHECKING:
    from compliance.people.models import Licensee
    from compliance.platform.webhooks.models import Delivery, Endpoint, Event  # noqa: F401 - named as text below

KEEP = timedelta(days=30)  # how long a platform can catch up, and a delivery be sent again
STALE_CLAIM = timedelta(minutes=1)  # longer than any attempt can take (sending.TIME_OUT)
WAKE_AGAIN = timedelta(seconds=30)


class EventQuerySet(models.QuerySet["Event"]):
    def feed(self, licensee: "Licensee") -> "EventQuerySet":
        """What a licensee's platform can catch up on: tests of single endpoints are none of it."""
        return self.filter(licensee=licensee, created_at__gt=Now() - KEEP).exclude(type=TEST)

    def old(self) -> "EventQuerySet":
        return self.filter(created_at__lt=Now() - KEEP)


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def enabled(self) -> "EndpointQuerySet":
        return self.filter(disabled_at=None)

    def wanting(self, event: "Event") -> "EndpointQuerySet":
        return self.enabled().filter(Q(types=[]) | Q(types__contains=[event.type]), licensee_id=event.licensee_id)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> "DeliveryQuerySet":
        return self.filter(done_at=None, given_up_at=None)

    def deliverable(self) -> "DeliveryQuerySet":
        """Due, to an endpoint that takes, and free or held by a worker that did not come back."""
        free = Q(claimed_at=None) | Q(claimed_at__lt=Now() - STALE_CLAIM)
        return self.open().filter(free, due_at__lte=Now(), endpoint__disabled_at=None)

    def under_way(self) -> "DeliveryQuerySet":
        return self.filter(claimed_at__gte=Now() - STALE_CLAIM)

    def forgotten(self) -> "DeliveryQuerySet":
        """Deliverable, and nobody was woken for it since it became due."""
        return self.deliverable().filter(
            Q(woken_at=None) | Q(woken_at__lt=F("due_at")) | Q(woken_at__lt=Now() - WAKE_AGAIN)
        )
