"""Twenty people who take the next case at once, and two workers at one player, on a database that keeps all of it."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from audit import context
from audit.actors import system
from cases import services as engine
from cases.models import Case
from cases.types.verification.amounts import services as amounts
from cases.types.verification.amounts.models import Crossing, Look
from compliance.people.models import Licensee
from compliance.people.services import create_user, join
from tests import database
from tests.monitoring.histories import START, report, row
from tests.world import a_world

PEOPLE = 20


@pytest.fixture(scope="module")
def copy_that_keeps(migrated):
    with database.a_copy(migrated, "engine") as name:
        yield name


@pytest.fixture
def commits(copy_that_keeps, migrated, django_db_setup, django_db_blocker, in_context):
    with django_db_blocker.unblock(), database.connected_to(copy_that_keeps, cluster=migrated):
        yield


def test_twenty_who_take_the_next_case_at_once_get_twenty_cases(commits):
    world = a_world()
    cases = {world.verification("L1").pk for _one in range(PEOPLE)}
    agents = []
    for number in range(PEOPLE):
        agent = create_user(email=f"a{number}-{secrets.token_hex(4)}@example.com", name=f"Agent {number}", by=system())
        join(agent, world.team, "agent", by=system())
        agents.append(agent)
    start = threading.Barrier(PEOPLE)

    def take(agent):
        try:
            with context.use(context.new("test")):
                start.wait()
                return engine.take_next(by=agent, kind="verification").pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PEOPLE) as threads:
        taken = [done.result() for done in [threads.submit(take, agent) for agent in agents]]
    assert set(taken) == cases
    assert not Case.objects.filter(pk__in=cases, assignee=None).exists()


def test_two_workers_who_add_up_one_player_at_once_open_one_verification(commits):
    world = a_world()
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    world.licensee.refresh_from_db()
    account = world.account()
    yesterday = timezone.now().replace(microsecond=0) - timedelta(days=1) - START
    report(world.licensee, [row(account, 1, amount=200_000, after=yesterday)], by=world.alice)
    start = threading.Barrier(2)

    def add_up(_worker):
        try:
            with context.use(context.new("test")):
                start.wait()
                return amounts.add_up()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(add_up, range(2))) == 1
    assert Crossing.objects.get(customer=account.customer_id).outcome == "opened"
    assert Case.objects.filter(customer=account.customer_id).count() == 1 and not Look.objects.exists()
