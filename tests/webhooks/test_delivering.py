"""Life of a delivery: signed anew each time under one id, set back, given up, sent again (experience W10, W12)."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from audit.models import Entry
from compliance import health
from compliance.outbox.delivery import BACK_OFF
from compliance.outbox.models import OutboxRow
from compliance.platform.webhooks import delivering, letters, services
from compliance.platform.webhooks.delivering import claim, deliver, finish, sweep
from compliance.platform.webhooks.events import emit, forget_old
from compliance.platform.webhooks.models import Attempt, Delivery, Endpoint, Event
from compliance.platform.webhooks.sending import Outcome
from tests.webhooks.receiver import Receiver, a_gigabyte, says

GATE = {"account": "P-88213", "brand": "brand"}


@pytest.fixture
def delivery(world, endpoint):
    emit("account.gate.changed", licensee_id=world.licensee.pk, data=GATE)
    return Delivery.objects.get()


def stored(row):
    return type(row).objects.get(pk=row.pk)


def due(**fields):
    Delivery.objects.update(due_at=Now(), claimed_at=None, **fields)


def pause(row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at - statement_timestamp() FROM webhooks_delivery WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def alarm_is_off():
    return health.passes("endpoints", health.ALARMS["endpoints"])


def test_the_receiver_gets_a_signed_thin_event(delivery, endpoint, receiver, world):
    assert deliver(delivery.pk) is True
    _path, headers, body = receiver.got[0]
    event = Webhook(endpoint.secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert event | {"timestamp": ""} == {
        "id": headers["webhook-id"],
        "type": "account.gate.changed",
        "timestamp": "",
        "licensee": world.licensee.slug,
        "data": GATE,
    }
    assert len(body) < 20_000
    assert deliver(delivery.pk) is None
    assert stored(delivery).state == "delivered"


def test_each_attempt_has_the_same_id_and_a_signature_of_its_moment(delivery, endpoint, receiver):
    receiver.answers = [500, 500, 500, 500, 500, 200]
    for hour in range(6):
        with time_machine.travel(timezone.now() + timedelta(hours=hour), tick=True):
            deliver(delivery.pk)
        due()
    seen = [headers for _path, headers, _body in receiver.got]
    assert len({one["webhook-id"] for one in seen}) == 1
    assert len({one["webhook-timestamp"] for one in seen}) == len({one["webhook-signature"] for one in seen}) == 6
    assert len({body for _path, _headers, body in receiver.got}) == 1
    assert [one.status for one in Attempt.objects.order_by("made_at")] == [500] * 5 + [200]
    assert stored(endpoint.row).failing_since is None


def test_five_failures_a_redirect_inwards_and_a_gigabyte_end_delivered(delivery, endpoint, receiver):
    """Every call is one of the same event, nothing that it points at is called, and what it says costs a kilobyte."""
    with Receiver() as inside:
        receiver.answers = [500] * 5 + [says(302, Location=inside.url), a_gigabyte]
        for number in range(7):
            assert stored(delivery).done_at is None, number
            due()
            deliver(delivery.pk)
        assert inside.got == []
    row = stored(delivery)
    assert (row.state, row.tries, stored(endpoint.row).failing_since) == ("delivered", 7, None)
    ids = {headers["webhook-id"] for _path, headers, _body in receiver.got}
    assert (len(receiver.got), ids) == (7, {delivery.event.public_id})
    said = [len(services.reply_text(attempt)) for attempt in row.attempts.order_by("made_at")]
    assert said[-1] == 1024


def test_retries_go_on_for_more_than_a_day_and_end_by_switching_off(delivery, endpoint, receiver):
    receiver.answers = [500]
    waited = []
    for _attempt in range(len(BACK_OFF)):
        due()
        deliver(delivery.pk)
        waited.append(pause(delivery))
    assert sum(waited, timedelta()) > timedelta(hours=24)
    assert all(0.85 * plan < found < 1.25 * plan for plan, found in zip(BACK_OFF, waited, strict=True))
    assert len({found / plan for plan, found in zip(BACK_OFF, waited, strict=True)}) == len(BACK_OFF)
    due()
    deliver(delivery.pk)
    assert stored(delivery).state == "given_up"
    assert stored(endpoint.row).disabled_because == Endpoint.Because.FAILING
    assert Entry.objects.filter(action="webhooks.disable_endpoint", object_id=str(endpoint.row.pk)).count() == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_time_gets_it(delivery, receiver, status):
    receiver.answers = [says(status, Retry_After="3600")]
    deliver(delivery.pk)
    assert timedelta(minutes=59) < pause(delivery) < timedelta(minutes=61)


def test_gone_switches_off_at_once_and_the_rest_waits_for_switching_on(delivery, endpoint, receiver, world):
    emit("account.gate.changed", licensee_id=world.licensee.pk, data=GATE)
    receiver.answers = [410, 200]
    deliver(delivery.pk)
    assert stored(endpoint.row).disabled_because == Endpoint.Because.GONE
    assert not alarm_is_off()
    other = Delivery.objects.exclude(pk=delivery.pk).get()
    assert deliver(other.pk) is None
    emit("account.gate.changed", licensee_id=world.licensee.pk, data=GATE)
    assert Delivery.objects.count() == 2
    services.enable(endpoint.row, by=world.dave)
    assert alarm_is_off()
    assert deliver(other.pk) is True


def test_what_staff_switched_off_is_no_alarm_and_what_failed_for_days_is(endpoint, world):
    services.disable(endpoint.row, by=world.dave)
    assert alarm_is_off()
    services.enable(endpoint.row, by=world.dave)
    services.give_up(endpoint.row, because=Endpoint.Because.FAILING)
    assert not alarm_is_off()


def test_who_looks_after_endpoints_gets_a_letter_when_a_receiver_has_one_switched_off(endpoint, world, mailoutbox):
    services.disable(endpoint.row, by=world.dave)  # somebody's own doing needs no letter
    services.enable(endpoint.row, by=world.dave)
    assert not OutboxRow.objects.filter(kind=letters.OFF).exists()
    for _time in range(2):
        services.give_up(stored(endpoint.row), because=Endpoint.Because.FAILING)
    row = OutboxRow.objects.get(kind=letters.OFF)
    letters.switched_off(row)
    [letter] = [one for one in mailoutbox if one.to == [world.dave.email]]
    assert endpoint.row.name in letter.subject and f"/{endpoint.row.pk}/" in letter.body
    assert world.alice.email not in [to for one in mailoutbox for to in one.to]
    services.enable(endpoint.row, by=world.dave)
    mailoutbox.clear()
    letters.switched_off(row)
    assert mailoutbox == []


def test_during_the_exchange_of_a_secret_both_sides_go_on(delivery, endpoint, receiver, world):
    _row, newer = services.exchange_secret(endpoint.row, by=world.dave)
    deliver(delivery.pk)
    _path, headers, body = receiver.got[0]
    given = {name.lower(): value for name, value in headers.items()}
    assert Webhook(endpoint.secret).verify(body, given) == Webhook(newer).verify(body, given)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert services.secrets_of(stored(endpoint.row)) == (newer,)


def test_a_worker_that_died_is_taken_over_and_comes_too_late(delivery):
    lost = claim(delivery.pk)
    assert claim(delivery.pk) is None
    Delivery.objects.update(claimed_at=Now() - timedelta(seconds=61), woken_at=Now() - timedelta(seconds=61))
    assert sweep() == 1
    again = claim(delivery.pk)
    assert again is not None
    finish(lost, Outcome(500, "refused", b"", 5))
    assert stored(delivery).claimed_at == again.delivery.claimed_at
    finish(again, Outcome(200, "", b"", 5))
    assert stored(delivery).done_at is not None


def test_a_failing_receiver_gets_one_call_at_a_time_and_others_their_own(world, endpoint):
    for _event in range(6):
        emit("account.gate.changed", licensee_id=world.licensee.pk, data=GATE)
    ids = list(Delivery.objects.order_by("event__position").values_list("pk", flat=True))
    held = [claim(one) for one in ids]
    assert [one is not None for one in held] == [True] * delivering.AT_ONCE + [False] * 2
    finish(held[0], Outcome(None, "timeout", b"", 15_000))
    assert claim(ids[4]) is None
    for one in held[1:4]:
        finish(one, Outcome(None, "timeout", b"", 15_000))
    assert claim(ids[4]) is not None
    assert claim(ids[5]) is None


def test_the_end_of_a_call_wakes_the_next_one(world, endpoint, woken, django_capture_on_commit_callbacks):
    for _event in range(2):
        emit("account.gate.changed", licensee_id=world.licensee.pk, data=GATE)
    first, second = Delivery.objects.order_by("event__position")
    with django_capture_on_commit_callbacks(execute=True):
        finish(claim(first.pk), Outcome(200, "", b"", 5))
    assert woken == [("webhooks.deliver", {"delivery_id": str(second.pk)})]


def test_what_a_receiver_says_is_sealed(delivery, receiver):
    deliver(delivery.pk)
    attempt = Attempt.objects.get()
    assert b"ok" not in bytes(attempt.reply_sealed)
    assert services.reply_text(attempt) == "ok"


def test_everything_missed_is_sent_again_under_the_same_id(world, endpoint, receiver, delivery):
    receiver.answers = [500]
    for _attempt in range(10):
        due()
        deliver(delivery.pk)
    receiver.answers = [200]
    services.enable(endpoint.row, by=world.dave)
    span = {"since": timezone.now() - timedelta(days=1), "until": timezone.now() + timedelta(days=1)}
    assert services.resend_failed(endpoint.row, by=world.dave, **span) == 1
    assert deliver(delivery.pk) is True
    assert services.resend_failed(endpoint.row, by=world.dave, **span) == 0
    assert len({headers["webhook-id"] for _path, headers, _body in receiver.got}) == 1


def test_old_events_go_with_their_deliveries(delivery, receiver):
    deliver(delivery.pk)
    Event.objects.update(created_at=Now() - timedelta(days=31))
    assert forget_old() == 1
    assert (Event.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (0, 0, 0)


def test_the_body_is_json_whatever_the_reference(world, endpoint):
    odd = {"account": 'P "ş" \\ 1', "brand": "brand"}
    event = emit("account.gate.changed", licensee_id=world.licensee.pk, data=odd)
    assert json.loads(claim(event.deliveries.get().pk).body)["data"] == odd
