"""The sweep at size: a fixed number of queries for each batch, a bounded time, and nobody waits for anybody."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from cases.clocks import services, sweeping
from cases.clocks.models import Clock, Kind, Pause
from cases.demo.crowd import generate
from cases.models import Case, Message
from compliance.people.models import Brand
from compliance.people.services import create_user, join

MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)  # 10:00 in Istanbul
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(world):
    user = create_user(email="lead@example.com", name="Lea", password=None, by=system())
    join(user, world.team, "manager", by=system())
    return user


@pytest.fixture
def crowd(world, queue, lead, monkeypatch):
    """120 open cases without clocks, all opened on Monday at ten."""
    with time_machine.travel(MONDAY, tick=False) as frozen:
        brand = Brand.objects.get(licensee=world.licensee)
        generate(queue, brand, customers=120, cases=120, documents=0, by=system(), seed="clocks")
        Case.objects.update(opened_at=MONDAY, waiting_for="", snoozed_until=None, snoozed_because="", wakes_on="")
        yield frozen


def asked(act):
    """What `act` returns, and how many queries it took beyond its entries and savepoints."""
    with CaptureQueriesContext(connection) as captured:
        result = act()
    return result, sum("SAVEPOINT" not in query["sql"] for query in captured)


def test_a_batch_takes_the_same_queries_however_many_clocks_are_in_it(crowd, lead, monkeypatch):
    """Each kind of work in one batch, first for 30 cases and then for the other 90."""
    monkeypatch.setattr(sweeping, "BATCH", 1000)
    some = list(Case.objects.order_by("pk").values_list("pk", flat=True)[:30])
    few, many = Case.objects.filter(pk__in=some), Case.objects.exclude(pk__in=some)
    responses = Clock.objects.filter(kind=Kind.FIRST_RESPONSE)

    def queries(prepare, moves):
        """What a sweep costs after `prepare`. `moves` says how many clocks it has moved so far: each of the cases."""
        found = []
        for cases in (few, many):
            prepare(cases)
            before = moves()
            _done, cost = asked(sweeping.sweep)
            assert moves() - before == cases.count() * (2 if prepare is end else 1)
            found.append(cost)
        assert found[0] == found[1]

    def end(cases):
        cases.update(closed_at=timezone.now(), outcome="lapsed")

    assert few.allowed_to(lead, "view_case").exists()  # Django keeps what kinds of objects there are
    many.update(merged_into=some[0])
    queries(lambda cases: cases.update(merged_into=None), Clock.objects.filter(kind=Kind.RESOLUTION).count)
    crowd.move_to(MONDAY + HOUR)  # every first response is used up: warned of, breached, the manager told
    responses.update(look_at=None)
    queries(
        lambda cases: responses.filter(case__in=cases).update(look_at=MONDAY),
        responses.filter(breached_at__isnull=False).count,
    )
    queries(lambda cases: cases.update(waiting_for="player"), Pause.objects.filter(ended_at=None).count)
    queries(lambda cases: cases.update(waiting_for=""), Pause.objects.filter(ended_at__isnull=False).count)
    queries(end, Clock.objects.filter(stopped_at__isnull=False).count)


def test_small_batches_reach_all_and_each_thing_is_noted_once(crowd, lead, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 50)
    assert sweeping.sweep() == {"started": 240, "warned": 0, "breached": 0, "stopped": 0, "unfinished": 0}
    crowd.move_to(MONDAY + HOUR)
    assert sweeping.sweep() == {"started": 0, "warned": 120, "breached": 120, "stopped": 0, "unfinished": 0}
    _nothing, queries = asked(sweeping.sweep)
    assert queries == 8  # one for each step and each kind to start, one for long pauses: what needs nothing is not read
    assert Entry.objects.filter(action="clocks.breach").count() == 120
    assert lead.notices.filter(kind="breached").count() == 120
    letters = [
        Message(case=case, code="x", language="en", text_sealed=b"", written_at=timezone.now(), written_by="staff:1")
        for case in Case.objects.all()[:70]
    ]
    Message.objects.bulk_create(letters)
    assert sweeping.sweep()["stopped"] == 70
    assert set(Clock.objects.exclude(stopped_at=None).values_list("kind", "stopped_at")) == {
        ("first_response", MONDAY + HOUR)
    }


def test_a_sweep_without_time_leaves_the_rest_to_the_next(crowd, caplog):
    assert sweeping.sweep(run_for=timedelta(0)) == {
        "started": 0,
        "warned": 0,
        "breached": 0,
        "stopped": 0,
        "unfinished": 1,
    }
    assert "next sweep" in caplog.text
    assert sweeping.sweep()["started"] == 240


def test_it_looks_when_something_may_happen_and_at_least_once_a_day(world, queue, crowd):
    sweeping.sweep()
    first = Clock.objects.filter(kind=Kind.FIRST_RESPONSE).first()
    assert first.look_at == MONDAY + 0.75 * HOUR
    crowd.move_to(first.look_at)
    sweeping.sweep()
    first.refresh_from_db()
    assert (first.warned_at, first.look_at) == (MONDAY + 0.75 * HOUR, MONDAY + HOUR)
    legal = services.start_statutory(first.case, rule="TR.X", target=timedelta(days=9), by=system())
    assert legal.look_at == timezone.now() + timedelta(days=1)
    services.pause(first, by=system(), reason="other")
    assert Clock.objects.get(pk=first.pk).look_at is None
    crowd.shift(HOUR)
    services.resume(first, by=system())
    assert Clock.objects.get(pk=first.pk).look_at == timezone.now()
    sweeping.sweep()
    assert Clock.objects.get(pk=first.pk).look_at == MONDAY + 2 * HOUR
