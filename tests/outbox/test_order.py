"""Rows of one subject go one after the other, in the order of their acts; others wait for nobody."""

import threading
import time

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import context
from audit.actors import system
from compliance.outbox import kinds
from compliance.outbox.delivery import deliver, drop, sweep
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from tests import database
from tests.waiting import PATIENCE


@pytest.fixture
def posted(db, in_context, handler, sent):
    def posted(*subjects):
        with transaction.atomic():
            return [post("test.greet", payload={"n": n}, subject=subject) for n, subject in enumerate(subjects)]

    return posted


def test_a_later_row_waits_for_the_earlier_one_of_its_subject(posted, handler):
    first, second, other, free = posted("case:1", "case:1", "case:2", "")
    assert [deliver(row.pk) for row in (second, other, free)] == [False, True, True]
    assert [deliver(row.pk) for row in (first, second)] == [True, True]
    assert handler.rows == [other.pk, free.pk, first.pk, second.pk]


def test_whoever_waited_is_woken_at_once(posted, sent, django_capture_on_commit_callbacks):
    first, second = posted("case:1", "case:1")
    with django_capture_on_commit_callbacks(execute=True):
        deliver(first.pk)
    assert sent == [("outbox.deliver", {"row_id": str(second.pk)})]


def test_what_failed_or_was_given_up_holds_those_behind_it_until_it_is_dropped(posted, handler):
    first, second = posted("case:1", "case:1")
    handler.fails_with = OSError()
    assert deliver(first.pk) is False
    handler.fails_with = None
    assert deliver(second.pk) is False
    OutboxRow.objects.filter(pk=first.pk).update(failed_at=Now(), claimed_at=None)
    assert deliver(second.pk) is False
    assert list(OutboxRow.objects.behind(first)) == [second]
    assert drop(first, by=system(), note="told by phone") is True
    assert deliver(second.pk) is True


def test_the_sweep_wakes_nobody_for_a_row_out_of_turn(posted, sent):
    posted("case:1", "case:1", "case:1")
    OutboxRow.objects.update(woken_at=None)
    assert sweep() == 1


def test_a_row_for_later_has_no_subject(posted, handler):
    with pytest.raises(ValueError, match="later"), transaction.atomic():
        post("test.greet", payload={}, subject="case:1", due_at=timezone.now())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["", "a", "b"]), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=20),
)
def test_in_whatever_order_workers_come_each_subject_keeps_its_own(posted, handler, subjects, visits):
    """Workers come for any row, and some fail: what one subject's rows saw is their order, and all are delivered."""
    OutboxRow.objects.all().delete()
    handler.rows.clear()
    rows = posted(*subjects)
    last = [(place, False) for _round in rows for place in range(len(rows))]
    for place, fails in [*visits, *last]:
        handler.fails_with = OSError() if fails else None
        before = len(handler.rows)
        if not deliver(rows[place % len(rows)].pk):
            del handler.rows[before:]  # an attempt that failed
            OutboxRow.objects.open().update(due_at=Now(), attempts=0)
    assert sorted(handler.rows) == sorted(row.pk for row in rows)
    for subject in ("a", "b"):
        mine = [row.pk for row in rows if row.subject == subject]
        assert [pk for pk in handler.rows if pk in mine] == mine


@pytest.fixture
def own_database(migrated, django_db_setup, django_db_blocker, monkeypatch):
    with (
        django_db_blocker.unblock(),
        database.a_copy(migrated, "outbox") as name,
        database.connected_to(name, cluster=migrated),
    ):
        monkeypatch.setitem(kinds._handlers, "test.greet", lambda row: None)
        yield


def test_positions_follow_the_commits_of_acts_on_one_subject(own_database):
    """The second act posts while the first is not committed: it waits, and comes after it."""
    entered, told = threading.Event(), []

    def second():
        with context.use(context.new("test")), transaction.atomic():
            entered.set()
            told.append(post("test.greet", payload={"n": 2}, subject="case:1"))
        connections.close_all()

    with transaction.atomic():
        first = post("test.greet", payload={"n": 1}, subject="case:1")
        other = threading.Thread(target=second)
        other.start()
        assert entered.wait(PATIENCE)
        time.sleep(0.2)
        assert told == []
    other.join(PATIENCE)
    assert [row.payload["n"] for row in OutboxRow.objects.order_by("position")] == [1, 2]
    assert first.pk != told[0].pk
    assert connection.in_atomic_block is False
