"""A page that only reads asks for rights once: it sees what an act would see, and the next page sees what changed."""

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.actors import system
from cases import restricting
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK
from cases.queues import declare_conflict
from compliance.people.access.once import remember, remembers
from compliance.people.models import User
from compliance.people.services import leave
from tests.world import a_world

pytestmark = pytest.mark.django_db
PEOPLE = ("alice", "bob", "erin", "carol", "mallory")


@pytest.fixture
def matters(world):
    """Plain, restricted to bob and erin, of a player whom alice knows, and of another house."""
    plain, closed, known = (world.verification() for _ in range(3))
    restricting.restrict(closed, to=[world.bob, world.erin], by=world.bob, because="sensitive")
    declare_conflict(world.alice, known.customer, by=world.alice)
    return {"plain": plain, "closed": closed, "known": known, "elsewhere": a_world().verification()}


def fresh(user, method=None):
    """The user as a request has them: `method` None, as an act loads them."""
    found = User.objects.get(pk=user.pk)
    if method:
        request = RequestFactory().generic(method, "/")
        request.user = found
        remember(request)
    return found


@pytest.mark.parametrize("permission", [VIEW, WORK, DECIDE])
def test_a_page_sees_what_an_act_would(world, matters, permission):
    names = {case.pk: name for name, case in matters.items()}

    def seen(user):
        return {names[pk] for pk in Case.objects.allowed_to(user, permission).values_list("pk", flat=True)}

    said = {name: seen(fresh(getattr(world, name))) for name in PEOPLE}
    assert said == {name: seen(fresh(getattr(world, name), "GET")) for name in PEOPLE}
    assert said["bob"] == {"plain", "closed", "known"}
    assert said["alice"] == (set() if permission == DECIDE else {"plain"})
    assert said["mallory"] == set()


def test_the_second_question_costs_one_query(world, matters):
    user = fresh(world.alice, "GET")
    first, again = CaptureQueriesContext(connection), CaptureQueriesContext(connection)
    with first:
        assert Case.objects.visible_to(user).count() == 1
    with again:
        assert Case.objects.visible_to(user).count() == 1
    assert len(again) == 1 < len(first)


@pytest.mark.parametrize(("method", "kept"), [("GET", True), ("HEAD", True), ("POST", False), ("PATCH", False)])
def test_only_what_may_change_nothing_remembers(world, method, kept):
    assert remembers(fresh(world.alice, method)) is kept
    assert not remembers(fresh(world.alice))


def test_what_was_taken_is_gone_for_an_act_at_once_and_for_the_next_page(world, matters, client):
    page = reverse("cases:case", args=[matters["plain"].number])
    client.force_login(world.alice)
    answer = client.get(page)
    assert (answer.status_code, remembers(answer.wsgi_request.user)) == (200, True)
    assert not remembers(client.post(reverse("cases:note", args=[matters["plain"].number])).wsgi_request.user)
    acting = fresh(world.alice, "POST")
    assert Case.objects.visible_to(acting).exists()
    leave(world.alice, world.team, "agent", by=system())
    assert not Case.objects.visible_to(acting).exists()
    assert client.get(page).status_code == 404
