"""Life of an event: emitted by an outbox handler -> one delivery for each endpoint that wants it -> kept for 30 days.

An act posts an outbox row in its own transaction (`outbox.post`); the row's handler calls `emit`, in one transaction
with the mark that the row is done. So every act is followed by its events exactly once, whatever dies in between.
"""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from compliance.outbox.services import wake
from compliance.platform.webhooks import catalogue
from compliance.platform.webhooks.models import Delivery, Endpoint, Event


class UnknownEvent(LookupError):
    """No package registered an event of this name (catalogue.py)."""


@transaction.atomic
def emit(type: str, *, licensee_id: UUID, data: Mapping[str, Any]) -> Event:
    """Tell a licensee's platform: every endpoint that wants events of this type."""
    event = create(type, licensee_id=licensee_id, data=data)
    for endpoint in Endpoint.objects.wanting(event):
        deliver_to(endpoint, event)
    return event


def create(type: str, *, licensee_id: UUID, data: Mapping[str, Any]) -> Event:
    """The event itself. `data` as its schema says: references and codes, nothing about a person.

    Whoever makes one at the same time waits for our commit: positions follow the commits, so a reader who has seen
    one has seen all before it.
    """
    known = catalogue.types().get(type)
    if known is None:
        raise UnknownEvent(type)
    if set(data) != set(known.schema["properties"]):
        raise ValueError(f"{type}: data must be {', '.join(known.schema['properties'])}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('webhooks.emit', 0))")
    return Event.objects.create(licensee_id=licensee_id, type=type, data=dict(data))


def deliver_to(endpoint: Endpoint, event: Event) -> Delivery:
    delivery = Delivery.objects.create(event=event, endpoint=endpoint, woken_at=Now())
    wake("webhooks.deliver", delivery_id=delivery.pk)
    return delivery


def as_dict(event: Event, licensee: str) -> dict[str, Any]:
    """The event as receivers and the feed show it; `licensee` is the slug."""
    return {
        "id": event.public_id,
        "type": event.type,
        "timestamp": event.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "licensee": licensee,
        "data": event.data,
    }


def body_of(event: Event, licensee: str) -> bytes:
    """The same bytes at every attempt."""
    return json.dumps(as_dict(event, licensee), separators=(",", ":"), ensure_ascii=False).encode()


def forget_old(*, limit: int = 5_000) -> int:
    """Delete events that nobody can catch up on any more, with their deliveries. How many."""
    old = Event.objects.old().order_by("position").values_list("pk", flat=True)[:limit]
    deleted = Event.objects.filter(pk__in=list(old)).delete()[1]
    return deleted.get(Event._meta.label, 0)
