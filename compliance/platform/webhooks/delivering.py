"""Life of a delivery: woken -> claimed -> sent -> done; or set back for up to three days, and in the end given up.

Sending holds no transaction and no connection. A receiver may get an event twice (we died after it answered): it knows
the repeat by the id. No receiver waits for another: each gets a few calls at once, one that fails a single one.
"""

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from audit.actors import INSTALLATION
from compliance.keys.services import seal
from compliance.outbox.delivery import BACK_OFF
from compliance.outbox.services import wake
from compliance.platform.webhooks import events, sending, services, signing
from compliance.platform.webhooks.models import Attempt, Delivery, Endpoint
from compliance.platform.webhooks.queries import DeliveryQuerySet

REPLY = "webhooks.reply"
AT_ONCE, AT_ONCE_WHILE_FAILING = 4, 1
SWEPT_PER_ENDPOINT = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything that sending needs, so that it asks the database for nothing."""

    delivery: Delivery
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: bytes


def claim(delivery_id: UUID) -> Claim | None:
    """The delivery for this worker alone; None when it is not due, taken, or its endpoint has enough calls under way.

    Whoever ends a call wakes the next one.
    """
    with transaction.atomic():
        due = Delivery.objects.deliverable().filter(pk=delivery_id).select_for_update(skip_locked=True, of=("self",))
        found = due.select_related("endpoint", "event__licensee").first()
        if found is None:
            return None
        endpoint = found.endpoint
        allowed = AT_ONCE_WHILE_FAILING if endpoint.failing_since else AT_ONCE
        if Delivery.objects.under_way().filter(endpoint=endpoint).exclude(pk=found.pk).count() >= allowed:
            return None
        Delivery.objects.filter(pk=found.pk).update(claimed_at=Now(), tries=F("tries") + 1)
        held = Delivery.objects.select_related("endpoint", "event__licensee").get(pk=found.pk)
    body = events.body_of(held.event, held.event.licensee.slug)
    return Claim(held, endpoint.url, services.secrets_of(endpoint), held.event.public_id, body)


def send(held: Claim) -> sending.Outcome:
    """One call, signed for this moment."""
    headers = signing.headers(held.secrets, held.message_id, int(time.time()), held.body)
    headers |= {"Content-Type": "application/json", "User-Agent": f"Mizan/{settings.VERSION}"}
    return sending.post(held.url, headers, held.body)


def finish(held: Claim, outcome: sending.Outcome) -> None:
    """Keep what happened and say what follows. A claim that went stale changes nothing but the log of attempts."""
    with transaction.atomic():
        _note(held.delivery, outcome)
        mine = Delivery.objects.open().filter(pk=held.delivery.pk, claimed_at=held.delivery.claimed_at)
        if outcome.delivered:
            mine.update(done_at=Now(), claimed_at=None)
            Endpoint.objects.filter(pk=held.delivery.endpoint_id).exclude(failing_since=None).update(failing_since=None)
        else:
            _set_back(held.delivery, mine, outcome)
        _wake_next(held.delivery.endpoint_id)


def deliver(delivery_id: UUID) -> bool | None:
    """Claim, send, finish. Whether it was delivered; None when there was nothing to do."""
    held = claim(delivery_id)
    if held is None:
        return None
    outcome = send(held)
    finish(held, outcome)
    return outcome.delivered


def sweep() -> int:
    """Wake a worker for what was forgotten, some of each endpoint: one that waits long fills nobody's turn."""
    woken = 0
    with transaction.atomic():
        for endpoint in Endpoint.objects.enabled().filter(deliveries__in=Delivery.objects.forgotten()).distinct():
            waiting = Delivery.objects.forgotten().filter(endpoint=endpoint).order_by("due_at")
            at_once = AT_ONCE_WHILE_FAILING if endpoint.failing_since else SWEPT_PER_ENDPOINT
            ids = list(waiting.values_list("pk", flat=True)[:at_once])
            Delivery.objects.filter(pk__in=ids).update(woken_at=Now())
            for delivery_id in ids:
                wake("webhooks.deliver", delivery_id=str(delivery_id))
            woken += len(ids)
    return woken


def _note(delivery: Delivery, outcome: sending.Outcome) -> None:
    made_at = timezone.now() - timedelta(milliseconds=outcome.milliseconds)
    attempt = Attempt(delivery=delivery, made_at=made_at, milliseconds=outcome.milliseconds)
    attempt.status, attempt.error = outcome.status, outcome.error
    if outcome.reply:
        attempt.reply_sealed = seal(INSTALLATION, REPLY, outcome.reply, aad=attempt.pk.bytes)
    attempt.save(force_insert=True)


def _set_back(delivery: Delivery, mine: DeliveryQuerySet, outcome: sending.Outcome) -> None:
    endpoint = Endpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=Coalesce("failing_since", Now()))
    if outcome.error == "gone":
        mine.update(given_up_at=Now(), claimed_at=None)
        services.give_up(endpoint, because=Endpoint.Because.GONE)
    elif delivery.tries > len(BACK_OFF):
        if mine.update(given_up_at=Now(), claimed_at=None):
            services.give_up(endpoint, because=Endpoint.Because.FAILING)
    else:
        # Spread, so that what failed together does not come back together.
        pause = BACK_OFF[delivery.tries - 1] * random.uniform(0.9, 1.2)
        mine.update(due_at=Now() + max(pause, timedelta(seconds=outcome.retry_after or 0)), claimed_at=None)


def _wake_next(endpoint_id: UUID) -> None:
    waiting: DeliveryQuerySet = Delivery.objects.deliverable().filter(endpoint_id=endpoint_id, claimed_at=None)
    found = waiting.order_by("due_at").values_list("pk", flat=True).first()
    if found is not None:
        wake("webhooks.deliver", delivery_id=str(found))
