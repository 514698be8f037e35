"""Two officers decide 300 cases at once over HTTP: one decision each, no error 500."""

import threading
from collections import Counter

import pytest

from audit import context
from audit.models import Entry
from cases import services as engine
from cases.models import Case
from cases.types.verification import services as verification
from compliance.proposals.services import propose
from tests.journeys.people import Client
from tests.papers import bring
from tests.whole import times
from tests.world import a_world

pytestmark = pytest.mark.slow
CASES = times(300, 24)


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def proposals(world):
    """Complete cases, each with an approval that waits for a second person."""
    with context.use(context.new("test")):
        return [_proposed(world) for _ in range(CASES)]


def _proposed(world):
    case = world.verification("L1")
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case = verification.review(case, by=world.alice)
    engine.accept(case.evidence.get(), by=world.alice)
    return propose("verification.approve", case, by=world.alice, reason="all_checks_met")


def test_two_officers_never_decide_one_case_twice(stack, world, proposals):
    said = {"bob": [], "erin": []}
    start = threading.Barrier(2)

    def decide(name):
        client = Client(stack, getattr(world, name))
        token = client.token("/cases/")
        for proposal in proposals:
            start.wait()
            body = f"csrfmiddlewaretoken={token}".encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            status, _body = client.post_raw(f"/approvals/{proposal.pk}/confirm/", body, headers)
            said[name].append(status)

    threads = [threading.Thread(target=decide, args=(name,)) for name in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    pairs = Counter(tuple(sorted(pair)) for pair in zip(said["bob"], said["erin"], strict=True))
    assert pairs == {(302, 409): CASES}
    numbers = [proposal.matter for proposal in proposals]
    assert Case.objects.filter(number__in=numbers, outcome="approved").count() == CASES
    approvals = Entry.objects.filter(matter__in=numbers, action="verification.approve", outcome="done")
    assert Counter(Counter(approvals.values_list("matter", flat=True)).values()) == {1: CASES}


def test_twenty_people_who_ask_for_the_next_case_get_twenty_cases(stack, world):
    with context.use(context.new("test")):
        numbers = {world.verification("L1").number for _ in range(20)}
    clients = [Client(stack, user) for user in (world.alice, world.bob, world.erin)]
    taken, start = [], threading.Barrier(20)

    def take(client):
        token = client.token("/cases/")
        start.wait()
        body = f"csrfmiddlewaretoken={token}&kind=verification".encode()
        status, _page = client.post_raw("/cases/next/", body, {"Content-Type": "application/x-www-form-urlencoded"})
        taken.append(status)

    threads = [threading.Thread(target=take, args=(clients[i % 3],)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == {302: 20}
    assigned = Entry.objects.filter(matter__in=numbers, action="cases.assign").values_list("matter", flat=True)
    assert sorted(assigned) == sorted(numbers)
