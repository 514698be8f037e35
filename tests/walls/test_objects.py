"""Role x object x act: what the roles' own lists give on each kind of object, held against every way to a case.

Expected is computed here from `roles.py` and what each object is; asked are `may`, lists, single pages, pages of files
and their bytes, searches, counts and the API. Whatever a list shows, a page shows, and the other way round.
"""

import re
from itertools import product
from types import SimpleNamespace

import pytest
from django.http import Http404
from django.urls import reverse

from audit.actors import system
from cases import restricting, search
from cases.glass import services as glass
from cases.lists import Asked
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queries import get_case
from cases.queues import declare_conflict, open_queue
from cases.types.verification import services as verification
from compliance.people.models import User
from compliance.people.roles import ROLES
from compliance.people.services import create_team
from tests import once
from tests.papers import bring
from tests.walls import answers, matrix
from tests.walls.matrix import PEOPLE
from tests.whole import PART
from tests.world import a_world

ACTS = (VIEW, WORK, DECIDE)
DIFFERENT = [*(role for role in PEOPLE if ROLES[role].queue_permissions), "admin", "mlro", "no_role", "stranger"]
OBJECTS = (
    "own queue",
    "restricted",
    "named in it",
    "conflict",
    "by exception",
    "other queue",
)  # the last opens a queue


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    """Each object once, as it is for everybody in it; who holds what is asked of every role afterwards."""
    with once.for_the_module(django_db_blocker):
        world = a_world()
        walls = matrix.Walls(world)
        walls.requests["stranger"] = walls._of_staff(world.mallory)
        people = {role: User.objects.get(pk=walls.requests[role][0].pk) for role in DIFFERENT}
        things = {thing: an_object(thing, world, list(people.values())) for thing in OBJECTS}
        asks = answers.Answers(walls, {"": {}}, answers.the_keys(world))
        yield SimpleNamespace(world=world, people=people, things=things, asks=asks)


def an_object(thing, world, people):
    case = verification.review(world.verification(), by=world.alice)
    bring(case, "identity_front", "passport", by=world.alice)
    if thing == "other queue":
        elsewhere = create_team(name=f"Others {world.team.name}", slug=f"o-{world.team.slug}", by=system())
        queue = open_queue(elsewhere, world.licensee, "verification", by=system())
        Case.objects.filter(pk=case.pk).update(queue=queue)
    if thing in ("restricted", "named in it", "by exception"):
        named = [user for user in people if thing == "named in it" and may(user, VIEW, case)]
        restricting.restrict(case, to=named, by=world.bob, because="sensitive")
    for user in people:
        if thing == "conflict":
            declare_conflict(user, case.customer, by=world.bob)
        if thing == "by exception" and glass.askable(user).filter(pk=case.pk).exists():
            glass.open_case(case.number, by=user, because="danger", note="Somebody is in danger.", minutes=15)
    return Case.objects.get(pk=case.pk)


def expected(role, thing):
    """What the role's own list gives on this object."""
    given = set(ROLES[role].queue_permissions) if role in ROLES else set()
    if thing in ("other queue", "restricted", "conflict"):
        return set()
    if thing == "by exception":
        asks = role in ROLES and "glass.open_restricted" in ROLES[role].permissions
        return {VIEW} if asks and VIEW in given else set()
    return given


def opens(case, user):
    try:
        get_case(case.number, user=user)
    except Http404:
        return False
    return True


def ways(case, user):
    """Whether each way in the code leads to the case."""
    seen = Case.objects.visible_to(user)
    return {
        "list": seen.filter(pk=case.pk).exists(),
        "page": opens(case, user),
        "count": bool(Asked().rows(user).filter(pk=case.pk).count()),
        "search": search.number_in(case.number, user=user) is not None,
        "by player": case.customer_id in search._players(case.account.reference, visible=seen),
    }


@pytest.mark.slow
def test_every_role_gets_on_every_object_what_its_list_says(made):
    wrong, cells = [], 0
    for role, (thing, case) in product(made.people, made.things.items()):
        user = User.objects.get(pk=made.people[role].pk)
        for is_active in (True, False) if thing in ("own queue", "named in it") else (True,):
            user.is_active = is_active
            held = {act for act in ACTS if may(user, act, case)}
            found = ways(case, user)
            cells += len(ACTS) + len(found)
            given = expected(role, thing) if is_active else set()
            if held != given or set(found.values()) != {VIEW in held}:
                wrong.append((role, thing, is_active, held, found))
    assert wrong == []
    assert cells > 500


def over_http(asks, case, who):
    """Status of each address that is about the case and its file; and where the case is found or counted."""
    evidence = case.evidence.get()
    page = ("cases:case", [case.number])
    file = ("cases:review", [case.number, evidence.pk])
    said = {name: _status(asks.ask(reverse(name, args=args), who)) for name, args in (page, file)}
    said["bytes"] = _followed(asks, reverse("cases:image", args=[case.number, evidence.pk, 1]), who)
    queue = asks.ask(f"{reverse('cases:queue')}?view=all&q={case.account.reference}", who)
    found = asks.ask(f"{reverse('cases:search')}?q={case.account.reference}", who)
    return said, case.number in queue.content.decode(), _leads_to(found, case)


def _status(answer):
    """An officer who may ask for an exception is led to the question: to them the case is as much as not there."""
    return 404 if _where(answer).startswith(reverse("cases:open-by-exception")) else answer.status_code


def _followed(asks, path, who):
    """The signed address that a picture's door leads to is taken too."""
    answer = asks.ask(path, who)
    return asks.ask(_where(answer), who).status_code if answer.status_code == 302 else answer.status_code


def _leads_to(answer, case):
    """A search leads to the case, straight or by a link; that one may ask for an exception is no such link."""
    links = re.findall(r'href="([^"]+)"', answer.content.decode())
    return any(case.number in where for where in [_where(answer), *links] if where.startswith("/cases/"))


def _where(answer):
    return answer.headers.get("Location", "")


@pytest.mark.slow
def test_http_answers_the_same(made):
    """Page, file, its bytes, list and search: for each role that reads cases, one that reads none, and a stranger."""
    asked, roles = 0, ("agent", "officer", "admin", "stranger") if PART else made.people
    for role, (thing, case) in product(roles, made.things.items()):
        sees = VIEW in expected(role, thing)
        said, listed, found = over_http(made.asks, case, role)
        assert {status == 200 for status in said.values()} == {sees}, (role, thing, said)
        assert sees or set(said.values()) == {404}, (role, thing, said)
        assert (listed, found) == (sees, sees), (role, thing)
        asked += 1
    assert asked >= 24


def test_the_api_answers_by_licensee_and_shows_nothing_restricted(made):
    """A key sees what its licensee's own queues show, hidden cases not, by number and in the list; others' nothing."""
    for thing, case in made.things.items():
        shown = thing in ("own queue", "conflict", "other queue")
        for who, sees in (("key", shown), ("stranger_key", False)):
            path = f"/api/v1/cases/{case.number}"
            found = [made.asks.ask(each, who).status_code for each in (path, f"{path}/documents")]
            assert found == [200 if sees else 404] * 2, (thing, who, found)
            listed = made.asks.ask("/api/v1/cases?limit=100", who).content.decode()
            assert (case.number in listed) == sees, (thing, who)
