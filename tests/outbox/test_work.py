"""Tasks run in a context of their own, and the commands show what waits."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from audit import context
from audit.models import Entry
from compliance.celery import app
from compliance.outbox.models import OutboxRow
from compliance.outbox.tasks import deliver, sweep
from compliance.outbox.work import task
from compliance.people.models import User


def test_a_task_runs_in_a_context_named_after_it():
    seen = []

    @task("tests.look")
    def look(**later):
        seen.append(context.current())

    look.apply(task_id="3f0c")
    assert (seen[0].source, seen[0].request_id) == ("task", "3f0c")
    with pytest.raises(context.MissingContext):
        context.current()


def test_a_task_survives_a_newer_caller(db):
    deliver.apply(kwargs={"row_id": "00000000-0000-0000-0000-000000000007", "something_new": 1}).get()


def test_a_delivery_ends_before_its_claim_looks_stale():
    assert deliver.time_limit < 120


def test_the_tasks_are_known_by_name():
    assert {deliver.name, sweep.name} <= set(app.tasks)


def test_the_list_names_what_was_given_up_and_fails(db, handler, capsys):
    row = OutboxRow.objects.create(kind="test.greet", payload={}, failed_at=Now(), attempts=10, last_error="OSError")
    with pytest.raises(SystemExit) as ended:
        call_command("outbox", "list", "--json")
    said = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert said["parked"] == [{"id": str(row.pk), "kind": "test.greet", "attempts": 10, "error": "OSError"}]


def test_a_row_that_was_not_given_up_cannot_be_retried(db, handler):
    row = OutboxRow.objects.create(kind="test.greet", payload={})
    with pytest.raises(CommandError, match=str(row.pk)):
        call_command("outbox", "retry", str(row.pk))


def test_a_parked_row_is_dropped_with_a_note_and_no_other(db, handler):
    parked = OutboxRow.objects.create(kind="test.greet", payload={}, failed_at=Now(), attempts=10)
    waiting = OutboxRow.objects.create(kind="test.greet", payload={})
    alice = User.objects.create_user("alice@example.com", name="Alice")
    User.objects.create_user("gone@example.com", name="Gone", is_active=False)
    named = ["--by", "Alice@example.com"]
    for wrong in (
        [str(waiting.pk), "--note", "x", *named],
        [str(parked.pk), "--note", " ", *named],
        [str(parked.pk), "--note", "x"],
        [str(parked.pk), "--note", "x", "--by", "gone@example.com"],
    ):
        with pytest.raises(CommandError):
            call_command("outbox", "drop", *wrong)
    call_command("outbox", "drop", str(parked.pk), "--note", "told by phone", *named)
    parked.refresh_from_db()
    waiting.refresh_from_db()
    assert parked.dropped_at is not None and waiting.dropped_at is None
    entry = Entry.objects.get(action="outbox.drop", object_id=str(parked.pk))
    assert entry.facts["actor"] == {"t": "staff", "id": str(alice.pk)}
