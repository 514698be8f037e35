"""Twenty people who take the next case at once, on a database that keeps what is committed."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from audit import context
from audit.actors import system
from cases import services as engine
from cases.models import Case
from compliance.people.services import create_user, join
from tests import database
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
