"""Writing down what must follow, and waking whoever may do it at once."""

import time
import uuid
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from compliance.outbox.kinds import UnknownKind, register
from compliance.outbox.models import OutboxRow
from compliance.outbox.payload import FreeText
from compliance.outbox.services import NotInTransaction, broker, post, wake


@pytest.fixture
def capture(django_capture_on_commit_callbacks):
    return django_capture_on_commit_callbacks


def test_a_row_is_written_and_a_worker_woken_after_the_commit(db, handler, sent, capture):
    with capture(execute=True), transaction.atomic():
        row = post("test.greet", payload={"case_id": uuid.UUID(int=7)})
        assert sent == []
    assert sent == [("outbox.deliver", {"row_id": str(row.pk)})]
    assert OutboxRow.objects.get(pk=row.pk).payload == {"case_id": str(uuid.UUID(int=7))}


def test_nobody_is_woken_for_an_act_that_was_rolled_back(db, handler, sent, capture):
    with capture(execute=True), pytest.raises(ZeroDivisionError), transaction.atomic():
        post("test.greet", payload={})
        raise ZeroDivisionError
    assert (sent, OutboxRow.objects.count()) == ([], 0)


def test_what_is_due_later_wakes_nobody_now(db, handler, sent, capture):
    due_at = timezone.now() + timedelta(hours=1)
    with capture(execute=True), transaction.atomic():
        row = post("test.greet", payload={}, due_at=due_at)
    assert sent == []
    assert OutboxRow.objects.get(pk=row.pk).due_at == due_at


def test_a_post_outside_a_transaction_is_refused(db, handler, monkeypatch):
    monkeypatch.setattr(connections["default"], "in_atomic_block", False)
    with pytest.raises(NotInTransaction):
        post("test.greet", payload={})


def test_a_kind_that_nobody_delivers_is_refused_at_once(db):
    with pytest.raises(UnknownKind, match=r"test\.nobody"):
        post("test.nobody", payload={})


def test_personal_data_in_a_payload_is_refused(db, handler):
    with pytest.raises(FreeText, match="email"):
        post("test.greet", payload={"email": "ayse@example.com"})


def test_a_kind_is_registered_once(handler):
    with pytest.raises(ValueError, match="twice"):
        register("test.greet", handler)


def test_a_broker_that_is_down_is_noted_and_harms_nothing(db, monkeypatch, capture, caplog):
    def send_task(*args, **options):
        raise OSError("no route to redis://user:secret@broker")

    monkeypatch.setattr("compliance.outbox.services.current_app.send_task", send_task)
    done = []
    with capture(execute=True), transaction.atomic():
        wake("documents.inspect", document_id=uuid.UUID(int=1))
        transaction.on_commit(lambda: done.append(True))
    assert done == [True]
    assert "documents.inspect" in caplog.text
    assert "secret" not in caplog.text


def test_a_broker_that_is_down_is_not_asked_again_for_a_moment(db, monkeypatch, capture):
    asked = []

    def send_task(*args, **options):
        asked.append(time.monotonic())
        raise OSError

    monkeypatch.setattr("compliance.outbox.services.current_app.send_task", send_task)
    with capture(execute=True), transaction.atomic():
        for number in range(3):
            wake("documents.inspect", document_id=number)
    assert len(asked) == 1
    assert broker.quiet_until - asked[0] == pytest.approx(broker.QUIET, abs=1)
