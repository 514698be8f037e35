"""Role x object x act: what the roles' own lists give on each kind of object, held against every way to a case.

Expected is computed here from `roles.py` and what each object is; asked are `may`, lists and counts, files made of
lists, single pages, acts, pages of files, their bytes, prints and originals, searches and the API. Whatever a list
shows, a page shows, and the other way round.
"""

import re
from itertools import product
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from django.http import Http404
from django.urls import reverse

from audit.actors import system
from cases import restricting, search
from cases.glass import services as glass
from cases.lists import Asked
from cases.marks import services as marks
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queries import get_case
from cases.queues import declare_conflict, open_queue
from cases.types.verification import services as verification
from compliance.people.models import User
from compliance.people.roles import ROLES
from compliance.people.services import create_team, open_account
from tests import once
from tests.papers import bring
from tests.walls import answers, matrix
from tests.walls.matrix import PEOPLE
from tests.whole import PART, times
from tests.world import a_world

ACTS = (VIEW, WORK, DECIDE)
DIFFERENT = [*(role for role in PEOPLE if ROLES[role].queue_permissions), "admin", "mlro", "no_role", "stranger"]
OBJECTS = (
    "own queue",
    "restricted",
    "named in it",
    "marked",
    "named in the mark",
    "conflict",
    "own player",
    "by exception",
    "other queue",
)  # the last opens a queue
HIDDEN = ("restricted", "marked", "conflict", "own player", "other queue")
NAME = "Işıl Yıldırım"  # of every player of a world
SOME = ("agent", "officer", "auditor", "admin", "stranger")


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
    named = [user for user in people if thing.startswith("named in") and may(user, VIEW, case)]
    if thing in ("restricted", "named in it", "by exception"):
        restricting.restrict(case, to=named, by=world.bob, because="sensitive")
    if thing in ("marked", "named in the mark"):
        marks.mark(case, kind="well_known", to=[world.erin, *named], by=world.bob)
    for user in people:
        if thing == "conflict":
            declare_conflict(user, case.customer, by=world.bob)
        if thing == "own player":
            account = {"reference": f"P-{user.pk}", "email": user.email}
            open_account(customer=case.customer, brand=world.brand, **account, by=system())
        if thing == "by exception" and glass.askable(user).filter(pk=case.pk).exists():
            glass.open_case(case.number, by=user, because="danger", note="Somebody is in danger.", minutes=15)
    return Case.objects.get(pk=case.pk)


def expected(role, thing):
    """What the role's own list gives on this object."""
    given = set(ROLES[role].queue_permissions) if role in ROLES else set()
    if thing in HIDDEN:
        return set()
    if thing == "by exception":
        return {VIEW} if VIEW in given and holds(role, "glass.open_restricted") else set()
    return given


def holds(role, right):
    return role in ROLES and right in ROLES[role].permissions


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
    }


@pytest.mark.slow
def test_every_role_gets_on_every_object_what_its_list_says(made):
    wrong, cells = [], 0
    for role, (thing, case) in product(made.people, made.things.items()):
        user = User.objects.get(pk=made.people[role].pk)
        for is_active in (True, False) if thing == "named in it" else (True,):
            user.is_active = is_active
            held = {act for act in ACTS if may(user, act, case)}
            found = ways(case, user)
            cells += len(ACTS) + len(found)
            given = expected(role, thing) if is_active else set()
            if held != given or set(found.values()) != {VIEW in held}:
                wrong.append((role, thing, is_active, held, found))
    assert wrong == []
    assert cells > 600


def doors(case):
    """By name: how each address about the case and its file is asked, and what it takes besides seeing the case."""
    file = [case.number, case.evidence.get().pk]
    page, note = reverse("cases:case", args=file[:1]), reverse("cases:note", args=file[:1])
    return {
        "page": (page, "GET", VIEW),
        "record": (reverse("cases:record", args=file[:1]), "GET", VIEW),
        "file": (reverse("cases:review", args=file), "GET", VIEW),
        "bytes": (reverse("cases:image", args=[*file, 1]), "GET", VIEW),
        "original": (reverse("cases:original", args=file), "GET", "documents.download_original"),
        "on paper": (reverse("cases:print-file", args=file), "GET", WORK),
        "note": (note, "POST", WORK),
        "restrict": (reverse("cases:restrict", args=file[:1]), "GET", DECIDE),
    }


def status_of(asks, who, path, method):
    """Of the address, and of the signed one that the door of a picture leads to. Who may ask for an exception is led to
    the question: to them the case is as much as not there."""
    answer = asks.ask(path, who, method, b"text=Words." if method == "POST" else b"")
    if _where(answer).startswith(reverse("cases:open-by-exception")):
        return 404
    if answer.status_code == 302 and "/page/" in path:
        return asks.ask(_where(answer), who).status_code
    return 200 if method == "POST" and _where(answer).startswith("/cases/") else answer.status_code


def met_by(role, thing, needed):
    """What the role's own list says of a door."""
    held = expected(role, thing)
    if VIEW not in held:
        return 404
    return 200 if needed in held or holds(role, needed) else 403


@pytest.mark.slow
def test_http_answers_the_same(made):
    """Every door of what a role sees, the first one of what it does not; for agent and officer, each of both."""
    wrong, asked = {}, 0
    with once.undrawn():
        for role, (thing, case) in product(SOME if PART else made.people, made.things.items()):
            whole = VIEW in expected(role, thing) or (thing in HIDDEN[: times(5, 1)] and role in ("agent", "officer"))
            for name, (path, method, needed) in list(doors(case).items())[: None if whole else 1]:
                status, asked = status_of(made.asks, role, path, method), asked + 1
                if status != met_by(role, thing, needed):
                    wrong[role, thing, name] = status
    assert wrong == {}
    assert asked > times(300, 120), asked


def listed(made, who):
    """The objects whose numbers stand anywhere in the list, in its file, in a search by the players' name."""
    queue, found = f"{reverse('cases:queue')}?view=all", f"{reverse('cases:search')}?q={quote(NAME)}"
    drawn = {"list": made.asks.ask(queue, who), "search": made.asks.ask(found, who)}
    drawn["file"] = made.asks.ask(f"{reverse('cases:take-list')}?view=all", who, "POST", b"reason=audit")
    texts = {name: _text(answer) for name, answer in drawn.items()}
    assert "tracking number" in texts["file"][:50], (who, texts["file"][:200])
    return {name: {thing for thing, case in made.things.items() if case.number in text} for name, text in texts.items()}


def _text(answer):
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.mark.slow
def test_lists_files_of_them_and_searches_show_what_pages_show(made):
    for role in SOME if PART else made.people:
        sees = {thing for thing in OBJECTS if VIEW in expected(role, thing)}
        assert listed(made, role) == dict.fromkeys(("list", "search", "file"), sees), role
        if role in ("agent", "officer", "manager"):  # typed in full, some of them may ask for an exception: no link
            for thing in ("restricted", "marked", "own queue"):
                case = made.things[thing]
                found = made.asks.ask(f"{reverse('cases:search')}?q={case.account.reference}", role)
                assert _leads_to(found, case) == (thing in sees), (role, thing)


def _leads_to(answer, case):
    """A search leads to the case, straight or by a link; that one may ask for an exception is no such link."""
    links = re.findall(r'href="([^"]+)"', answer.content.decode())
    return any(case.number in where for where in [_where(answer), *links] if where.startswith("/cases/"))


def _where(answer):
    return answer.headers.get("Location", "")


@pytest.mark.slow
def test_what_auditors_take_away_holds_what_they_see(made):
    """The population of a period, as a file; whoever else asks for it is refused."""
    path = reverse("cases:population")
    for role in ("auditor", "aml_auditor"):
        taken = _text(made.asks.ask(path, role, "POST", b"reason=audit"))
        sees = {case.number for thing, case in made.things.items() if VIEW in expected(role, thing)}
        assert {case.number for case in made.things.values() if case.number in taken} == sees, role
    assert made.asks.ask(path, "officer", "POST", b"reason=audit").status_code == 403


def test_the_api_answers_by_licensee_and_shows_nothing_restricted(made):
    """A key sees what its licensee's own queues show, hidden cases not, by number and in the list; others' nothing. A
    marked player still hands files in: there the platform goes on."""
    for who in ("key", "stranger_key"):
        listed = made.asks.ask("/api/v1/cases?limit=100", who).content.decode()
        for thing, case in made.things.items():
            sees = who == "key" and thing not in ("restricted", "named in it", "by exception")
            path = f"/api/v1/cases/{case.number}"
            found = [made.asks.ask(each, who).status_code for each in (path, f"{path}/documents")]
            assert found == [200 if sees else 404] * 2, (thing, who, found)
            assert (case.number in listed) == sees, (thing, who)
