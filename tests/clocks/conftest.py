from datetime import time

import pytest

from audit import context
from audit.actors import system
from cases.clocks.services import set_hours
from cases.clocks.working import DAYS, WorkingHours
from cases.models import Queue
from tests.world import a_world


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture
def world(db, in_context):
    return a_world()


@pytest.fixture
def hours():
    spans = ((time(9), time(12, 30)), (time(13, 30), time(18)))
    return WorkingHours("Europe/Istanbul", dict.fromkeys(DAYS[:5], spans), "TR")


@pytest.fixture
def queue(world, hours):
    """Eight working hours a day; an hour to answer, eight to finish."""
    queue = Queue.objects.get(licensee=world.licensee)
    set_hours(queue, hours, {"first_response": 60, "next_response": 60, "resolution": 480}, by=system())
    return queue
