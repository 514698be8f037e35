"""The team lead's page: who has how much, what is old or late, what waits; work is handed over from there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from cases import services
from cases.lists import Asked
from cases.models import Case, Queue
from cases.oversight import team
from compliance.people.services import create_user, join
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(world):
    user = create_user(email="lead@example.com", name="Lena", password=PASSWORD, by=system())
    join(user, world.team, "manager", by=system())
    return user


@pytest.fixture
def some(world):
    """Six cases: Alice has three, one of them late; Bob one; nobody two, one of them a week old."""
    cases = [world.verification("L1", full_name=f"Player {n}") for n in range(6)]
    now = timezone.now()
    for case in cases[:3]:
        services.assign(case, to=world.alice, by=world.bob)
    services.assign(cases[3], to=world.bob, by=world.bob)
    Case.objects.filter(pk=cases[0].pk).update(due_at=now - timedelta(hours=1))
    Case.objects.filter(pk=cases[5].pk).update(opened_at=now - timedelta(days=8))
    return cases


def loads_of(world, lead):
    teams = team.led_by(lead)
    found = team.loads(team.cases_of(teams, user=lead), teams, now=timezone.now())
    return {load.user.name if load.user else None: (load.open, load.late) for load in found}


def test_each_persons_load_is_counted_and_nobodys_too(world, lead, some):
    loads = loads_of(world, lead)
    assert (loads[None], loads["Alice"], loads["Bob"], loads["Erin"]) == ((2, 0), (3, 1), (1, 0), (0, 0))


def test_a_number_is_the_length_of_the_list_that_it_leads_to(world, lead, some):
    asked = Asked(view="all", by=str(world.alice.pk))
    assert asked.rows(lead).count() == loads_of(world, lead)["Alice"][0] == 3


def test_every_open_case_is_of_one_age(world, lead, some):
    cases = team.cases_of(team.led_by(lead), user=lead)
    counts = [count for _words, count in team.ages(cases, now=timezone.now())]
    assert sum(counts) == 6
    assert counts == [5, 0, 0, 1, 0]


def test_only_leads_see_it_and_only_their_teams(world, client, lead, some):
    for user in (world.alice, world.bob, world.carol, world.mallory):
        client.force_login(user)
        assert client.get(reverse("cases:team")).status_code == 403
    other = create_user(email="other@example.com", name="Otto", password=PASSWORD, by=system())
    join(other, world.mallory.memberships.get().team, "manager", by=system())
    assert loads_of(world, other)[None] == (0, 0)
    client.force_login(other)
    assert client.get(reverse("cases:team-person", args=[world.alice.pk])).status_code == 404


def test_the_page_shows_and_the_look_is_recorded(world, client, lead, some):
    client.force_login(lead)
    text = client.get(reverse("cases:team")).content.decode()
    assert f"?view=all&amp;by={world.alice.pk}&amp;due=late" in text
    entry = Entry.objects.get(action="quality.view_team")
    assert entry.facts["data"] == {"teams": [world.team.slug]}


def test_work_is_handed_over_case_by_case(world, client, lead, some):
    client.force_login(lead)
    page = reverse("cases:team-person", args=[world.alice.pk])
    numbers = [some[0].number, some[1].number]
    answer = client.post(page, {"numbers": numbers, "to": str(world.bob.pk)}, follow=True)
    assert "2 cases handed over." in answer.content.decode()
    assert set(Case.objects.filter(assignee=world.bob).values_list("number", flat=True)) >= set(numbers)
    moved = Entry.objects.filter(action="cases.assign", matter__in=numbers, actor_id=str(lead.pk))
    assert moved.count() == 2

    answer = client.post(page, {"numbers": [some[2].number], "to": ""}, follow=True)
    assert Case.objects.get(pk=some[2].pk).assignee is None
    assert answer.status_code == 200


def test_what_cannot_be_handed_over_stays_and_says_why(world, client, lead, some):
    client.force_login(lead)
    page = reverse("cases:team-person", args=[world.alice.pk])
    nothing = client.post(page, {"to": str(world.bob.pk)})
    assert nothing.status_code == 422
    assert "Select at least one case." in nothing.content.decode()
    # Carol is of the team and only reads.
    answer = client.post(page, {"numbers": [some[0].number], "to": str(world.carol.pk)}, follow=True)
    assert f"{some[0].number} stays:" in answer.content.decode()
    assert Case.objects.get(pk=some[0].pk).assignee == world.alice


def test_a_lead_lets_a_queue_give_its_cases_out_and_takes_it_back(world, client, lead, some):
    queue = some[0].queue
    client.force_login(lead)
    address = reverse("cases:team-giving", args=[queue.pk])
    assert address in client.get(reverse("cases:team")).content.decode()
    assert client.post(address, {"gives_out": "on", "most_each": "12"}).status_code == 302
    queue.refresh_from_db()
    assert (queue.gives_out, queue.most_each) == (True, 12)
    assert client.post(address, {"gives_out": "on", "most_each": "0"}, follow=True).status_code == 200
    assert client.post(address, {"most_each": "12"}).status_code == 302
    queue.refresh_from_db()
    assert (queue.gives_out, queue.most_each) == (False, 12)
    facts = [entry.facts["data"] for entry in Entry.objects.filter(action="cases.set_assignment").order_by("id")]
    assert facts == [{"gives_out": True, "most_each": 12}, {"gives_out": False, "most_each": 12}]


def test_the_queue_of_another_team_is_not_switched(world, client, lead, some):
    other = Queue.objects.exclude(team=world.team).first()
    client.force_login(lead)
    assert (
        client.post(reverse("cases:team-giving", args=[other.pk]), {"gives_out": "on", "most_each": "5"}).status_code
        == 404
    )
    client.force_login(world.alice)
    assert client.post(reverse("cases:team-giving", args=[some[0].queue_id]), {"most_each": "5"}).status_code == 403
    assert not Queue.objects.filter(gives_out=True).exists()
