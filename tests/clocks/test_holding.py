"""Pausing a clock by hand: with a reason, by who works on the case, never a legal deadline."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases.clocks import arithmetic, holding, services, sweeping
from cases.clocks.models import Clock, Kind, Pause
from cases.notices.models import Notice
from compliance.people.services import create_user, join
from compliance.policy.staff import staff_rules
from tests.clocks.test_clocks import MONDAY, at
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def clock(frozen, world, queue):
    case = world.verification("L1")
    sweeping.sweep()
    return Clock.objects.select_related("case").get(case=case, kind=Kind.RESOLUTION)


def due(clock):
    return arithmetic.reading(clock, services.pauses_of(clock), at=timezone.now()).due_at


def address(clock, act):
    return reverse(f"cases:{act}", args=[clock.case.number, clock.pk])


def test_an_agent_pauses_it_with_a_reason_and_lets_it_go_on(world, client, clock, frozen):
    client.force_login(world.alice)
    page = reverse("cases:clocks", args=[clock.case.number])
    assert address(clock, "pause-clock") in client.get(page).content.decode()
    before = due(clock)
    assert client.post(address(clock, "pause-clock"), {f"{clock.pk}-because": "third_party"}).status_code == 302
    assert due(clock) is None
    shown = client.get(page).content.decode()
    assert "a bank, an authority" in shown and address(clock, "clock-goes-on") in shown
    frozen.shift(timedelta(hours=1))
    sweeping.sweep()  # what pauses by itself ends by itself; this does not
    assert due(clock) is None
    assert client.post(address(clock, "clock-goes-on")).status_code == 302
    assert due(clock) == before + timedelta(hours=1) == at("2026-11-24 11:00")
    entries = Entry.objects.filter(action__in=("clocks.pause", "clocks.resume"), actor_id=str(world.alice.pk))
    assert {entry.action for entry in entries} == {"clocks.pause", "clocks.resume"}
    assert entries.get(action="clocks.pause").facts["reason"]["code"] == "third_party"


def test_without_a_reason_of_the_list_it_goes_on(world, client, clock):
    client.force_login(world.alice)
    for said in ({}, {f"{clock.pk}-because": "lunch"}):
        answer = client.post(address(clock, "pause-clock"), said)
        assert answer.status_code == 422
    with pytest.raises(ConditionsNotMet):
        holding.hold(clock, by=world.alice, because="lunch")
    assert not Pause.objects.exists()


def test_who_may_not_work_on_the_case_pauses_nothing(world, client, clock):
    for user, status in [(world.carol, 403), (world.mallory, 404)]:
        client.force_login(user)
        for act in ("pause-clock", "clock-goes-on"):
            assert client.post(address(clock, act), {f"{clock.pk}-because": "technical"}).status_code == status
    with pytest.raises(Denied):
        holding.hold(clock, by=world.carol, because="technical")
    assert not Pause.objects.exists()
    client.force_login(world.carol)
    assert "pause/" not in client.get(reverse("cases:clocks", args=[clock.case.number])).content.decode()


def test_a_legal_deadline_refuses(world, client, clock):
    legal = services.start_statutory(clock.case, rule="MT.CDD.30D", target=timedelta(days=30), by=world.alice)
    with pytest.raises(ConditionsNotMet, match="never pauses"):
        holding.hold(legal, by=world.alice, because="technical")
    client.force_login(world.alice)
    assert client.post(address(legal, "pause-clock"), {f"{legal.pk}-because": "technical"}).status_code == 422
    assert (
        address(legal, "pause-clock")
        not in client.get(reverse("cases:clocks", args=[clock.case.number])).content.decode()
    )
    assert not Pause.objects.exists()


def test_what_paused_by_itself_is_not_cut_short_by_hand(world, client, clock):
    services.pause(clock, by=world.alice, reason=services.WAITING)
    with pytest.raises(ConditionsNotMet, match="by itself"):
        holding.go_on(clock, by=world.alice)
    with pytest.raises(ConditionsNotMet, match="paused already"):
        holding.hold(clock, by=world.alice, because="technical")
    assert Pause.objects.get().ended_at is None


def test_a_pause_that_stands_too_long_is_told_once_to_who_has_the_case_and_the_lead(world, clock, frozen):
    lead = create_user(email="lead@example.com", name="Lena", password=PASSWORD, by=system())
    join(lead, world.team, "manager", by=system())
    engine.assign(clock.case, to=world.alice, by=world.bob)
    holding.hold(clock, by=world.alice, because="third_party")
    longest = timedelta(hours=staff_rules(on=timezone.now().date()).clocks.longest_pause_hours)

    def told():
        sweeping.sweep()
        return sorted(Notice.objects.filter(kind="paused_long").values_list("user__name", flat=True))

    frozen.shift(longest - timedelta(seconds=1))
    assert told() == []
    frozen.shift(timedelta(seconds=1))
    assert told() == told() == ["Alice", "Lena"]
    Notice.objects.all().delete()  # as read ones go after a while
    assert told() == []
    holding.go_on(Clock.objects.get(pk=clock.pk), by=world.alice)
    frozen.shift(longest * 2)
    assert told() == []


def test_a_long_pause_of_which_nobody_could_hear_is_no_news_later(world, clock, frozen, monkeypatch):
    """And many are told of in batches, all in one sweep."""
    monkeypatch.setattr(sweeping, "BATCH", 1)
    other = world.verification("L1")
    sweeping.sweep()
    for each in (clock, Clock.objects.get(case=other, kind=Kind.RESOLUTION)):
        holding.hold(each, by=world.alice, because="third_party")
    frozen.shift(timedelta(hours=staff_rules(on=timezone.now().date()).clocks.longest_pause_hours))
    sweeping.sweep(run_for=timedelta(0))
    assert not Pause.objects.exclude(told_at=None).exists(), "in the time of the sweep"
    sweeping.sweep()
    assert list(Pause.objects.values_list("told_at", flat=True)) == [timezone.now()] * 2
    lead = create_user(email="lead@example.com", name="Lena", password=PASSWORD, by=system())
    join(lead, world.team, "manager", by=system())
    sweeping.sweep()
    assert not Notice.objects.exists()
