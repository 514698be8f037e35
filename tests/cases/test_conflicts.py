"""Who knows a player says so and sees nothing of them any more; who asks for what is not theirs is noted."""

import pytest
from django.http import Http404
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases.models import Case
from cases.numbers import Number
from cases.queries import get_case
from cases.services import assign
from compliance.people.changing import change_contact
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.conflicts.own import meet_everybody
from compliance.people.services import create_user, open_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1")


def declare(client, user, case, **typed):
    client.force_login(user)
    return client.post(reverse("cases:conflict", kwargs={"number": case.number}), typed, follow=True)


@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_whoever_sees_a_case_can_say_that_they_know_the_player(case, world, client, name):
    user = getattr(world, name)
    client.force_login(user)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert "I know this player" in page.split('<details id="more">')[1].split("</details>")[0]
    assert client.get(reverse("cases:conflict", args=[case.number])).status_code == 200
    assert declare(client, user, case, relation="family").redirect_chain == [(reverse("cases:queue"), 302)]
    assert client.get(reverse("cases:case", args=[case.number])).status_code == 404
    assert case not in Case.objects.visible_to(user)
    entry = Entry.objects.get(action="cases.declare_conflict", actor_id=str(user.pk))
    assert b"family" not in bytes(entry.entry)


def test_cases_that_were_theirs_go_back_to_the_team(case, world, client):
    assign(case, to=world.alice, by=world.bob)
    declare(client, world.alice, case, relation="friend")
    assert Case.objects.get(pk=case.pk).assignee_id is None
    assert Entry.objects.filter(matter=case.number, action="cases.assign").count() == 2


def test_without_a_relation_nothing_is_declared_and_the_page_says_so(case, world, client):
    answer = declare(client, world.alice, case)
    assert (answer.status_code, "Choose one." in answer.content.decode()) == (422, True)
    assert not ConflictOfInterest.objects.exists()


def test_the_profile_lists_them_by_the_operators_number_and_without_names(case, world, client):
    declare(client, world.alice, case, relation="friend")
    page = client.get(reverse("profile")).content.decode()
    listed = page.split('id="conflicts"')[1].split("</section>")[0]
    assert case.account.reference in listed
    assert "Friend or acquaintance" in listed
    assert case.customer.full_name not in page
    client.force_login(world.bob)
    assert case.account.reference not in client.get(reverse("profile")).content.decode()


def test_a_stranger_cannot_declare_anything(case, world, client):
    assert declare(client, world.mallory, case, relation="family").status_code == 404
    assert not ConflictOfInterest.objects.exists()


# ---------------------------------------------------------------------------------------------------- strangers
def refusals(user):
    rows = Entry.objects.using("log").filter(action="cases.view", outcome="refused", actor_id=str(user.pk))
    return list(rows.order_by("id").values_list("matter", flat=True))


def test_asking_for_somebody_elses_case_is_noted_as_is_asking_for_none(case, world):
    unknown = str(Number("KYC", 26, 900_000))
    for number in (case.number, unknown, "KYC-26-900000-x", "nonsense"):
        with pytest.raises(Http404):
            get_case(number, user=world.mallory)
    assert refusals(world.mallory) == [case.number, unknown]


def test_looking_at_ones_own_case_is_no_refusal(case, world):
    get_case(case.number, user=world.alice)
    assert refusals(world.alice) == []


def own(user):
    return ConflictOfInterest.objects.filter(user=user, relation="myself").count()


def test_a_member_of_staff_who_plays_here_never_sees_that_player(world, client):
    """By the address alone, whichever came first; the player's customers elsewhere are theirs too."""
    case = world.verification("L1")
    assign(case, to=world.alice, by=world.bob)
    assert get_case(case.number, user=world.alice)
    change_contact(case.account, by=system(), email=f" {world.alice.email.upper()} ")
    assert own(world.alice) == 1 and case not in Case.objects.visible_to(world.alice)
    assert Case.objects.get(pk=case.pk).assignee_id is None
    client.force_login(world.alice)
    assert client.get(reverse("cases:case", args=[case.number])).status_code == 404
    assert client.get(reverse("cases:search"), {"q": case.account.reference}).content.decode().count(case.number) == 0
    assert Entry.objects.filter(action="people.find_own").count() == 1
    change_contact(case.account, by=system(), email="somebody@example.com")
    assert own(world.alice) == 1  # who was that player once stays out

    change_contact(case.account, by=system(), email="new.colleague@example.com")
    joined = create_user(email="New.Colleague@example.com", name="New", by=system())
    assert own(joined) == 1
    player = {"customer": world.account().customer, "brand": world.brand, "reference": "P-own"}
    account = open_account(**player, email=world.carol.email, by=system())
    assert own(world.carol) == 1 and account.customer.conflicts.get().user == world.carol


def test_the_night_finds_who_came_by_another_way(world):
    case = world.verification("L1")
    change_contact(case.account, by=system(), email="someone@example.com")
    type(world.carol).objects.filter(pk=world.carol.pk).update(email="someone@example.com")
    assert own(world.carol) == 0
    assert (meet_everybody(), meet_everybody(), own(world.carol)) == (1, 0, 1)
