"""Closing a sign-in: sessions, keys, roles and what waits end at once, by page, command and API."""

import json
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import context
from audit.actors import system
from cases.types.verification import services as verification
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access.models import Session
from compliance.people.models import User
from compliance.platform import services as platform
from compliance.platform.scopes import Scope
from compliance.proposals.models import State
from compliance.proposals.services import expire_overdue, propose
from tests.people.signing import again, lets_in
from tests.waiting import PATIENCE
from tests.world import a_world


def ask(token):
    return Client().get("/api/v1/ping", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def leaver(signed, house):
    """Dan with two sessions, a key and two roles."""
    user, client = signed("dan", "agent", "officer")
    other = again(user)
    key, token = platform.issue_key(
        owner=user,
        licensee=house.licensee,
        name="platform",
        scopes=[Scope.CASES_READ],
        expires_at=timezone.now() + timedelta(days=30),
        created_by=user,
        by=system(),
    )
    return user, [client, other], key, token


def test_everything_ends_at_once(leaver, entries):
    user, clients, key, token = leaver
    assert [lets_in(client) for client in clients] == [True, True]
    assert ask(token) == 200
    people.deactivate_user(user, by=system())
    assert [lets_in(client) for client in clients] == [False, False]
    assert ask(token) == 401
    assert not Session.objects.filter(user=user, ended_at=None).exists()
    assert not user.groups.exists()
    [entry] = entries("people.deactivate_user")
    ended = dict(one.split(":") for one in entry["data"]["ended"])
    assert (ended.pop("sessions"), ended.pop("keys")) == ("2", "1")
    assert ended == dict.fromkeys(["batches", "cases", "drafts", "proposals", "uploads"], "0")
    assert [role.partition("/")[2] for role in entry["data"]["roles"]] == ["agent", "officer"]


def test_opening_it_again_revives_nothing(leaver):
    user, clients, key, token = leaver
    people.deactivate_user(user, by=system())
    staff.reactivate_user(user, by=system())
    assert [lets_in(client) for client in clients] == [False, False]
    assert ask(token) == 401
    fresh = again(user)
    assert lets_in(fresh)
    assert not User.objects.get(pk=user.pk).has_perm("people.reveal_customer")


def test_what_the_leaver_proposed_expires_and_the_managers_hear(db, here):
    world = a_world()
    case = ready_to_decide(world)
    proposal = propose("verification.reject", case, by=world.alice, reason="person_differs")
    people.deactivate_user(world.alice, by=system())
    assert expire_overdue() == 1
    proposal = type(proposal).objects.get(pk=proposal.pk)
    assert proposal.state == State.EXPIRED
    case.refresh_from_db(fields=["outcome"])
    assert case.outcome == ""


def ready_to_decide(world):
    """A case on which something can be proposed."""
    case = world.verification()
    return verification.review(case, by=world.alice)


def test_the_command_does_the_same(leaver, capsys):
    user, clients, _key, token = leaver
    call_command("people", "deactivate", user.email, "--json")
    assert json.loads(capsys.readouterr().out) == {"user": user.email, "active": False}
    assert (lets_in(clients[0]), ask(token)) == (False, 401)


@pytest.fixture
def directory(house, bob):
    """A key with which the operator's directory says who left."""
    _key, token = platform.issue_key(
        owner=bob,
        licensee=house.licensee,
        name="directory",
        scopes=[Scope.STAFF_WRITE],
        expires_at=timezone.now() + timedelta(days=30),
        created_by=bob,
        by=system(),
    )
    return token


def post(token, email):
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"close-{email}"}
    body = json.dumps({"email": email})
    return Client().post("/api/v1/staff/deactivate", body, content_type="application/json", headers=headers)


def test_the_directory_closes_a_sign_in_over_the_api(leaver, directory, entries):
    user, clients, _key, token = leaver
    assert post(directory, user.email.upper()).json() == {"active": False}
    assert (lets_in(clients[0]), ask(token)) == (False, 401)
    assert entries("people.deactivate_user")[0]["actor"]["t"] == "key"
    assert post(directory, "nobody@example.com").status_code == 404


def test_another_key_closes_nobody(leaver):
    user, clients, _key, token = leaver
    assert post(token, user.email).status_code == 403
    assert lets_in(clients[0])


def test_nobody_closes_their_own(signed):
    user, client = signed("ada", "admin")
    client.post(reverse("staff:close", args=[user.pk]))
    assert lets_in(client)


@pytest.mark.slow
def test_the_next_request_to_any_process_of_the_web_server_is_refused(committed):
    """By session and by key, asked before and after another process commits that the person left. How soon that is, is
    what `python3 dev.py bench gate` measures."""
    with context.use(context.new("test")):
        alice = a_world().alice
        licensee = alice.memberships.get().team.queues.get().licensee
        facts = {"licensee": licensee, "name": "x", "scopes": [Scope.CASES_READ], "created_by": alice, "by": system()}
        _key, token = platform.issue_key(owner=alice, expires_at=timezone.now() + timedelta(days=1), **facts)
    browser = Client()
    browser.force_login(alice)
    session = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    asked = {"/profile/sessions/": {"Cookie": session}, "/api/v1/ping": {"Authorization": f"Bearer {token}"}}

    def answers():
        return {path: {_status(committed, path, headers) for _each in range(6)} for path, headers in asked.items()}

    assert answers() == {"/profile/sessions/": {200}, "/api/v1/ping": {200}}
    with context.use(context.new("test")):
        people.deactivate_user(alice, by=system())
    assert answers() == {"/profile/sessions/": {302}, "/api/v1/ping": {401}}


def _status(stack, path, headers):
    """On a connection of its own, which any worker takes."""
    connection = HTTPConnection(urlsplit(stack.url).netloc, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()
