"""Who sees a case: the queue's people, nobody else, and nobody with a conflict."""

import re
from datetime import timedelta

import pytest
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from audit.actors import system
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queries import get_case
from cases.queues import declare_conflict
from compliance.people import services as people
from compliance.people.access.models import Tenure
from compliance.people.models import User

OVER = {"since": timezone.now() - timedelta(days=6), "until": timezone.now() - timedelta(days=1)}


def page(client, user, case):
    client.force_login(user)
    return client.get(reverse("cases:case", kwargs={"number": case.number}))


def masked(response, number):
    text = response.content.decode().replace(number, "")
    return re.sub(r'(name="csrfmiddlewaretoken" value|data-left)="[^"]+"', "", text)


@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_the_team_sees_the_case(name, world, client):
    case = world.verification()
    assert page(client, getattr(world, name), case).status_code == 200


def test_a_stranger_gets_404_and_an_empty_list(world, client):
    case = world.verification()
    assert page(client, world.mallory, case).status_code == 404
    assert case.number not in client.get(reverse("cases:queue")).content.decode()
    assert client.get(reverse("cases:search"), {"q": case.number}).status_code == 200


def test_a_stranger_reads_the_same_for_a_case_that_does_not_exist(world, client):
    case = world.verification()
    strange = page(client, world.mallory, case)
    nothing = client.get(reverse("cases:case", kwargs={"number": "KYC-26-999999-0"}))
    assert (strange.status_code, masked(strange, case.number)) == (
        nothing.status_code,
        masked(nothing, "KYC-26-999999-0"),
    )


def test_a_restricted_case_is_gone_for_the_team_but_not_for_whom_it_was_given(world, client):
    case = world.verification()
    Case.objects.filter(pk=case.pk).update(restricted=True)
    assert page(client, world.alice, case).status_code == 404
    assign_perm(VIEW, world.bob, Case.objects.get(pk=case.pk))
    assert page(client, world.bob, case).status_code == 200
    assert not may(world.bob, DECIDE, Case.objects.get(pk=case.pk))


def test_a_conflict_of_interest_takes_everything_away(world, client):
    case = world.verification()
    declare_conflict(world.alice, case.customer, by=world.bob)
    assert page(client, world.alice, case).status_code == 404
    assert not may(world.alice, WORK, case)
    assert may(world.bob, WORK, case)


def test_an_ended_role_gives_no_case_at_once(world):
    """Neither in a list nor to work on nor to decide; what was granted by a row gives nothing without it."""
    case = world.verification()
    assert all(may(world.bob, right, case) for right in (VIEW, WORK, DECIDE))
    Tenure.objects.filter(membership__user=world.bob).update(**OVER)
    bob = User.objects.get(pk=world.bob.pk)
    assert not any(may(bob, right, case) for right in (VIEW, WORK, DECIDE))
    assert not Case.objects.visible_to(bob).exists()
    assert may(world.alice, VIEW, case)
    assign_perm(VIEW, bob, case)
    Case.objects.filter(pk=case.pk).update(restricted=True)
    assert not may(bob, VIEW, case) and not may(world.alice, VIEW, case)


def test_an_ended_role_beside_a_lasting_one_takes_only_its_own(world):
    case = world.verification()
    people.join(world.mallory, world.team, "agent", by=system())
    elsewhere = people.create_team(name="Nöbet", by=system())
    people.join(world.mallory, elsewhere, "agent", by=system(), until=timezone.now() + timedelta(days=1))
    Tenure.objects.filter(membership__team=elsewhere).update(**OVER)
    assert may(world.mallory, WORK, case)


def test_rights_follow_the_role(world):
    case = world.verification()
    rights = {
        name: [p for p in (VIEW, WORK, DECIDE) if may(getattr(world, name), p, case)]
        for name in ("alice", "bob", "carol", "mallory")
    }
    assert rights == {"alice": [VIEW, WORK], "bob": [VIEW, WORK, DECIDE], "carol": [VIEW], "mallory": []}


def test_somebody_who_left_sees_nothing_at_once(world):
    case = world.verification()
    world.alice.is_active = False
    assert not Case.objects.visible_to(world.alice).exists()
    with pytest.raises(Http404):
        get_case(case.number, user=world.alice)


def test_a_superuser_has_no_rights_of_its_own(world):
    case = world.verification()
    world.mallory.is_superuser = True  # the database refuses to keep one
    assert not may(world.mallory, VIEW, case)
    assert not Case.objects.visible_to(world.mallory).filter(pk=case.pk).exists()


def test_the_list_and_the_page_agree(world):
    case = world.verification()
    for user in (world.alice, world.bob, world.carol, world.mallory):
        listed = Case.objects.visible_to(user).filter(pk=case.pk).exists()
        assert listed == may(user, VIEW, case)
