"""Life of a row: claimed, done, set back, parked."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from audit.actors import system
from audit.models import Entry
from compliance import health
from compliance.outbox import delivery
from compliance.outbox.delivery import BACK_OFF, deliver, retry, sweep
from compliance.outbox.models import OutboxRow
from compliance.people.models import Human

pytestmark = pytest.mark.usefixtures("db", "in_context", "sent")


@pytest.fixture
def row(handler):
    return OutboxRow.objects.create(kind="test.greet", payload={})


def stored(row):
    return OutboxRow.objects.get(pk=row.pk)


def change(row, **fields):
    OutboxRow.objects.filter(pk=row.pk).update(**fields)


def test_a_row_is_delivered_once_however_often_it_is_asked_for(row, handler):
    assert [deliver(row.pk), deliver(row.pk), deliver(row.pk)] == [True, False, False]
    assert handler.rows == [row.pk]
    assert stored(row).done_at is not None


def test_a_row_that_is_not_due_waits(row, handler):
    change(row, due_at=Now() + timedelta(minutes=1))
    assert deliver(row.pk) is False
    assert handler.rows == []


def test_a_row_that_another_worker_holds_is_left_alone(row, handler):
    change(row, claimed_at=Now() - timedelta(seconds=110))
    assert deliver(row.pk) is False


def test_a_row_whose_worker_did_not_come_back_is_taken_over(row, handler):
    change(row, claimed_at=Now() - timedelta(seconds=121), attempts=1)
    assert deliver(row.pk) is True
    assert (stored(row).attempts, stored(row).lost) == (2, 1)


def test_a_row_that_kills_its_workers_is_parked_at_the_third(row, handler):
    for _worker in range(3):
        assert delivery._claim(row.pk) is not None
        change(row, claimed_at=Now() - timedelta(minutes=3))
    assert deliver(row.pk) is False
    assert handler.rows == []
    assert (stored(row).last_error, stored(row).failed_at is not None) == ("WorkerLost", True)
    assert Entry.objects.filter(action="outbox.park", object_id=str(row.pk)).count() == 1


def test_a_failure_sets_the_row_back_and_keeps_no_personal_data(row, handler):
    handler.fails_with = ValueError("Ayşe Yıldırım, 10000000146")
    assert deliver(row.pk) is False
    after = stored(row)
    assert (after.last_error, after.claimed_at, after.failed_at) == ("ValueError", None, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at - statement_timestamp() FROM outbox_outboxrow WHERE id = %s", [row.pk])
        pause = cursor.fetchone()[0]
    assert timedelta(seconds=4) < pause < timedelta(seconds=6)


def test_what_a_failing_handler_wrote_is_gone(row, monkeypatch):
    def half_done(row):
        Human.objects.create()
        raise ValueError

    before = Human.objects.count()
    monkeypatch.setitem(delivery.handler_of.__globals__["_handlers"], "test.greet", half_done)
    deliver(row.pk)
    assert Human.objects.count() == before


def test_what_a_handler_wrote_is_gone_when_it_was_taken_over_meanwhile(row, monkeypatch):
    def slow(row):
        Human.objects.create()
        change(row, claimed_at=Now())  # another worker took the row

    before = Human.objects.count()
    monkeypatch.setitem(delivery.handler_of.__globals__["_handlers"], "test.greet", slow)
    assert deliver(row.pk) is False
    assert Human.objects.count() == before


def test_the_pauses_grow_and_the_last_failure_parks(row, handler):
    handler.fails_with = OSError()
    for _attempt in range(len(BACK_OFF) + 1):
        change(row, due_at=Now())
        deliver(row.pk)
    after = stored(row)
    assert (after.attempts, after.last_error, after.failed_at is not None) == (10, "OSError", True)
    assert list(OutboxRow.objects.parked()) == [after]
    assert not health.passes("outbox", health.ALARMS["outbox"])
    OutboxRow.objects.update(dropped_at=Now())
    assert health.passes("outbox", health.ALARMS["outbox"])  # somebody looked
    assert deliver(row.pk) is False


def test_a_parked_row_can_be_tried_again(row, handler, sent, django_capture_on_commit_callbacks):
    change(row, failed_at=Now(), attempts=10, lost=3)
    with django_capture_on_commit_callbacks(execute=True):
        retry(row, by=system())
    assert sent == [("outbox.deliver", {"row_id": str(row.pk)})]
    assert deliver(row.pk) is True
    assert Entry.objects.filter(action="outbox.retry", object_id=str(row.pk)).count() == 1


def test_an_unknown_kind_from_a_newer_release_is_set_back(row, handler):
    change(row, kind="test.newer")
    assert deliver(row.pk) is False
    assert stored(row).last_error == "UnknownKind"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, True),
        ({"woken_at": Now()}, False),
        ({"woken_at": Now() - timedelta(seconds=31)}, True),
        ({"woken_at": Now() - timedelta(seconds=10), "due_at": Now() - timedelta(seconds=1)}, True),
        ({"due_at": Now() + timedelta(seconds=5)}, False),
        ({"claimed_at": Now()}, False),
        ({"claimed_at": Now() - timedelta(minutes=3)}, True),
        ({"done_at": Now()}, False),
        ({"failed_at": Now()}, False),
    ],
    ids=["new", "just woken", "message lost", "due again", "later", "in work", "worker lost", "done", "parked"],
)
def test_the_sweep_finds_what_was_forgotten(row, sent, fields, found, django_capture_on_commit_callbacks):
    change(row, **fields)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep() == found
    assert [name for name, _ids in sent] == ["outbox.deliver"] * found


def test_the_sweep_does_not_wake_twice_for_one_row(row, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert (sweep(), sweep()) == (1, 0)


def test_the_sweep_forgets_what_was_done_long_ago(row, handler):
    old = OutboxRow.objects.create(kind="test.greet", payload={}, done_at=Now() - timedelta(days=15))
    recent = OutboxRow.objects.create(kind="test.greet", payload={}, done_at=Now() - timedelta(days=13))
    sweep()
    assert set(OutboxRow.objects.values_list("pk", flat=True)) & {old.pk, recent.pk, row.pk} == {recent.pk, row.pk}


@pytest.mark.parametrize(
    "fields",
    [{"done_at": Now(), "failed_at": Now()}, {"done_at": Now(), "claimed_at": Now()}],
    ids=["both ends", "held"],
)
def test_the_database_refuses_an_impossible_row(row, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        change(row, **fields)
