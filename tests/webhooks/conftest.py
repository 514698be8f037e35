from types import SimpleNamespace

import pytest

from audit import context
from compliance.outbox import services as outbox
from compliance.outbox.delivery import deliver as deliver_row
from compliance.outbox.models import OutboxRow
from compliance.platform.webhooks import services
from compliance.platform.webhooks.models import Delivery
from tests.webhooks.receiver import Receiver
from tests.world import a_world, an_administrator


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def woken(monkeypatch):
    """Names and ids of the tasks that were handed to the broker."""
    woken = []
    monkeypatch.setattr(outbox.broker, "quiet_until", 0.0)
    monkeypatch.setattr(
        "compliance.outbox.services.current_app.send_task", lambda name, kwargs, **options: woken.append((name, kwargs))
    )
    return woken


@pytest.fixture
def world(db, in_context, woken):
    """Dave is an administrator."""
    world = a_world()
    world.dave = an_administrator(world)
    return world


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def endpoint(world, receiver):
    """Where the licensee's events go; `row` and the `secret` that its owner has."""
    facts = {"licensee": world.licensee, "name": "CRM", "created_by": world.dave, "by": world.dave}
    row, secret = services.add_endpoint(url=receiver.url, **facts)
    return SimpleNamespace(row=row, secret=secret)


@pytest.fixture
def passed_on():
    """Has every outbox row that is due handled, as workers would; the deliveries that came of it."""

    def passed_on():
        while ids := list(OutboxRow.objects.deliverable().order_by("position").values_list("pk", flat=True)):
            for row_id in ids:
                deliver_row(row_id)
        return list(Delivery.objects.order_by("event__position"))

    return passed_on
