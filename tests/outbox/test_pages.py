"""What could not be delivered: administrators look, have it tried again, or drop it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from compliance.outbox.models import OutboxRow
from tests.world import a_world, an_administrator

PARKED = reverse("outbox:parked")


@pytest.fixture
def world(db, in_context, sent):
    world = a_world()
    world.dave = an_administrator(world)
    return world


@pytest.fixture
def row(world, handler):
    facts = {"attempts": 10, "failed_at": Now(), "last_error": "OSError"}
    parked = OutboxRow.objects.create(kind="test.greet", payload={"secret": "P-88213"}, subject="case:1", **facts)
    OutboxRow.objects.create(kind="test.greet", payload={}, subject="case:1")
    return parked


@pytest.fixture
def admin(world, client):
    client.force_login(world.dave)
    return client


def test_it_shows_what_waits_behind_and_nothing_of_what_it_is_about(admin, row):
    page = admin.get(PARKED).content.decode()
    assert "test.greet" in page and "OSError" in page and "1 row waits behind it" in page
    assert "P-88213" not in page
    assert Entry.objects.filter(action="outbox.list").count() == 1


def test_it_does_not_say_when_something_was_planned(admin, row):
    """Letters of the AML side are written when a hold begins, and go later."""
    OutboxRow.objects.filter(pk=row.pk).update(created_at=datetime(2019, 3, 4, tzinfo=UTC))
    before = admin.get(PARKED).content.decode()
    assert "1 more waits its turn" in before and "2019" not in before
    OutboxRow.objects.create(kind="test.greet", payload={}, due_at=timezone.now() + timedelta(hours=1))
    assert "1 more waits its turn" in admin.get(PARKED).content.decode()
    tried = OutboxRow.objects.create(kind="test.greet", payload={}, attempts=1)
    OutboxRow.objects.filter(pk=tried.pk).update(due_at=Now() + timedelta(hours=1))
    assert "2 more wait their turn" in admin.get(PARKED).content.decode()


def test_it_is_tried_again_once(admin, row, handler):
    for _click in range(2):
        assert admin.post(reverse("outbox:retry", args=[row.pk])).status_code == 302
    assert Entry.objects.filter(action="outbox.retry", object_id=str(row.pk)).count() == 1
    assert OutboxRow.objects.get(pk=row.pk).failed_at is None


def test_it_is_dropped_with_a_reason(admin, row):
    address = reverse("outbox:drop", args=[row.pk])
    assert admin.post(address, {"note": ""}).status_code == 422
    assert admin.get(address).status_code == 200
    assert admin.post(address, {"note": "The player was told by phone"}).status_code == 302
    entry = Entry.objects.get(action="outbox.drop", object_id=str(row.pk))
    assert b"phone" not in bytes(entry.entry)
    assert OutboxRow.objects.get(pk=row.pk).dropped_at is not None
    assert admin.get(address).status_code == 404
    assert "Nothing here" in admin.get(PARKED).content.decode()


@pytest.mark.parametrize("person", ["alice", "bob", "carol"])
def test_it_is_for_administrators(world, client, row, person):
    client.force_login(getattr(world, person))
    assert client.get(PARKED).status_code == 403
    assert client.post(reverse("outbox:retry", args=[row.pk])).status_code == 403
    assert client.post(reverse("outbox:drop", args=[row.pk]), {"note": "x"}).status_code == 403
    assert OutboxRow.objects.parked().count() == 1
