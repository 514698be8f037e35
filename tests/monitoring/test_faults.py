"""kill -9 of the worker while it judges transactions: each accepted one is counted once, no flag is lost or doubled."""

import random
import time
from datetime import timedelta

import pytest

from audit import context
from audit.models import Entry
from cases.types.monitoring.rules import services
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.transactions.models import CustomerState, Source, Transaction, Waiting
from cases.types.monitoring.transactions.services import accept
from tests.monitoring.conftest import of_the_aml_side
from tests.monitoring.histories import a_rule, row
from tests.waiting import wait_until
from tests.whole import times
from tests.world import a_world

pytestmark = pytest.mark.slow
PLAYERS, EACH, KILLS = 20, times(100, 50), times(4, 2)


@pytest.fixture
def world(committed):
    with context.use(context.new("test")):
        yield a_world()


def test_a_worker_killed_while_it_counts_loses_nothing_and_doubles_nothing(committed, world):
    stack, chance = committed, random.Random(7)
    ken = of_the_aml_side(world, "ken", "analyst")
    rule = a_rule("TF1", by=ken)
    accounts = [world.account() for _ in range(PLAYERS)]
    rows = [row(one, n, after=timedelta(hours=n)) for n in range(EACH) for one in accounts]
    mine = Transaction.objects.filter(licensee=world.licensee)
    stack.kill("worker")
    for place in range(0, len(rows), 500):
        accept(world.licensee, rows[place : place + 500], by=world.alice)
    fell_between = 0
    for _ in range(KILLS):
        before = mine.count()
        stack.start("worker")
        wait_until(lambda before=before: mine.count() > before or not Waiting.objects.exists())
        time.sleep(0.1 * chance.random())
        stack.kill("worker")
        fell_between += Waiting.objects.exists()
    stack.start("worker")
    wait_until(lambda: not Waiting.objects.exists())
    services.retire(rule, by=ken)

    assert fell_between, "every kill came too late to say anything"
    assert mine.count() == len(rows) == Source.objects.filter(pk__in=mine.values("pk")).count()
    states = CustomerState.objects.filter(licensee=world.licensee)
    assert set(states.values_list("counted", flat=True)) == {EACH} and states.count() == PLAYERS
    flags = list(Flag.objects.filter(rule=rule))
    assert len(flags) == PLAYERS == len({flag.customer_id for flag in flags})
    for flag in flags:
        assert flag.hits == EACH - 2, "at each deposit from the third on, once"
        assert len(flag.transactions) == len(set(flag.transactions)) == EACH
    written = Entry.objects.filter(action="monitoring_rules.flag", object_id__in=[str(flag.pk) for flag in flags])
    assert written.count() == PLAYERS
