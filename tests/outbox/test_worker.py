"""With a real worker and its clock: what no message announced is found, and a worker that dies loses nothing."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from compliance.outbox.models import OutboxRow
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("committed")


def tried(row, within=PATIENCE):
    """The row once a worker tried it. Nobody delivers this kind, so it is set back with the reason."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        found = OutboxRow.objects.get(pk=row.pk)
        if found.last_error:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no worker tried the row within {within} s")


def test_a_row_without_a_message_is_found_by_the_sweep():
    row = OutboxRow.objects.create(kind="test.nobody", payload={})
    found = tried(row)
    assert (found.last_error, found.attempts, found.claimed_at) == ("UnknownKind", 1, None)


@pytest.mark.slow
def test_a_row_that_a_dead_worker_held_is_taken_over(stack):
    stack.kill("worker")
    row = OutboxRow.objects.create(kind="test.nobody", payload={}, claimed_at=Now() - timedelta(minutes=3), attempts=1)
    stack.start("worker")
    assert (tried(row).attempts, tried(row).lost) == (2, 1)
