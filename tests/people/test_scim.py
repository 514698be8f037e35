"""A directory says over SCIM 2.0 that somebody left. It finds and closes, and does nothing else."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.actors import system
from audit.perform import ConditionsNotMet
from compliance.people.access.models import Session
from compliance.people.models import User
from compliance.people.services import create_licensee
from compliance.platform import services as platform
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from tests.people.signing import lets_in

USERS = "/scim/v2/Users"


@pytest.fixture
def token(house, bob):
    return a_key(house, bob, Scope.STAFF_WRITE)


def a_key(house, owner, *scopes):
    expires = timezone.now() + timedelta(days=30)
    facts = {"owner": owner, "licensee": house.licensee, "created_by": owner, "by": system()}
    return platform.issue_key(name="directory", scopes=list(scopes), expires_at=expires, **facts)[1]


def ask(token, path="", method="GET", said=None):
    body = json.dumps(said) if said is not None else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = Client(enforce_csrf_checks=True)
    return client.generic(method, USERS + path, body, content_type="application/scim+json", headers=headers)


def found(token, email):
    return ask(token, f'?filter=userName eq "{email}"').json()


def patch(*operations):
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def test_it_finds_one_person_by_address_and_looking_is_an_entry(token, alice, entries):
    said = found(token, "ALICE@example.com")
    assert said["totalResults"] == 1
    [one] = said["Resources"]
    shown = {"id": str(alice.pk), "userName": alice.email, "displayName": "Alice", "active": True}
    assert one == {"schemas": [one["schemas"][0]], **shown, "meta": {"resourceType": "User"}}
    assert ask(token, f"/{alice.pk}").json() == one
    [first, _second] = entries("access.view_staff")
    assert (first["actor"]["t"], first["object"]["id"]) == ("key", str(alice.pk))
    assert found(token, "who@example.com")["totalResults"] == 0


def test_there_is_no_list_of_everybody(token, alice):
    for asked in ("", '?filter=displayName eq "Alice"', '?filter=userName sw "a"'):
        answer = ask(token, asked)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("PATCH", patch({"op": "replace", "path": "active", "value": False})),
        ("PATCH", patch({"op": "Replace", "path": "active", "value": "False"})),
        ("PATCH", patch({"op": "replace", "value": {"active": False}})),
        ("PUT", {"userName": "dan@example.com", "active": False}),
        ("DELETE", None),
    ],
)
def test_whoever_is_not_active_there_is_out_here_at_once(token, signed, entries, method, said):
    user, client = signed("dan", "agent")
    answer = ask(token, f"/{user.pk}", method, said)
    assert answer.status_code == (204 if method == "DELETE" else 200)
    assert not lets_in(client) and not Session.objects.filter(user=user, ended_at=None).exists()
    assert entries("people.deactivate_user")[0]["actor"]["t"] == "key"
    assert found(token, user.email)["Resources"][0]["active"] is False
    assert ask(token, f"/{user.pk}", method, said).status_code == answer.status_code
    assert len(entries("people.deactivate_user")) == 1


@pytest.mark.parametrize(
    "said",
    [
        patch({"op": "replace", "path": "userName", "value": "x@example.com"}),
        patch({"op": "replace", "value": {"active": False, "displayName": "X"}}),
        patch({"op": "remove", "path": "active"}),
        *(patch({"op": "replace", "path": "active", "value": one}) for one in (0, 1, 0.5, None, "no", [False])),
        patch("active"),
        patch(),
        {"active": False},
        [],
    ],
)
def test_nothing_else_is_changed_from_outside(token, alice, said):
    answer = ask(token, f"/{alice.pk}", "PATCH", said)
    assert (answer.status_code, answer.json()["status"]) == (400, "400")
    alice.refresh_from_db()
    assert (alice.is_active, alice.email) == (True, "alice@example.com")


def test_a_name_that_is_longer_over_there_is_the_same_as_far_as_it_is_kept(token, member):
    ada = member("a" * 120)
    assert len(ada.name) == 120
    answers = [
        ask(token, f"/{ada.pk}", "PUT", {"displayName": name, "active": True}) for name in (ada.name + " Lovelace", "b")
    ]
    assert [one.status_code for one in answers] == [200, 400]


@pytest.mark.parametrize("said", [{"userName": "x@example.com"}, {"displayName": "X"}, {"active": 0}])
def test_what_is_sent_in_full_changes_nothing_else_and_says_so(token, alice, said):
    same = {"userName": "Alice@example.com", "displayName": "Alice", "active": True}
    assert ask(token, f"/{alice.pk}", "PUT", same).status_code == 200
    answer = ask(token, f"/{alice.pk}", "PUT", same | said)
    assert (answer.status_code, answer.json()["scimType"]) == (
        400,
        "invalidValue" if "active" in said else "mutability",
    )
    assert found(token, alice.email)["Resources"][0]["active"]
    ask(token, f"/{alice.pk}", "PUT", same | said | {"active": "False"})
    assert not User.objects.get(pk=alice.pk).is_active, "who left is out, whatever they are called over there"


def test_a_closed_sign_in_is_not_opened_from_outside(token, alice):
    ask(token, f"/{alice.pk}", "DELETE")
    for method, said in (
        ("PATCH", patch({"op": "replace", "path": "active", "value": True})),
        ("PUT", {"active": True}),
    ):
        answer = ask(token, f"/{alice.pk}", method, said)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "mutability")
    assert not User.objects.get(pk=alice.pk).is_active


def test_nobody_is_added(token):
    assert ask(token, "", "POST", {"userName": "new@example.com", "active": True}).status_code == 405
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_key_of_a_test_licensee_reaches_nobody(house, bob, alice):
    house.licensee = create_licensee(
        name="Tryout", slug="tryout", jurisdiction="TR", time_zone="UTC", is_test=True, by=system()
    )
    with pytest.raises(ConditionsNotMet, match="reaches all staff"):
        a_key(house, bob, Scope.STAFF_WRITE)
    trial = a_key(house, bob, Scope.CASES_READ)
    ApiKey.objects.filter(licensee=house.licensee).update(scopes=["ping", "staff:write"])  # as keys were issued once
    assert [ask(trial, f"/{alice.pk}", method).status_code for method in ("GET", "DELETE")] == [403, 403]
    sent = json.dumps({"email": alice.email}), {"Authorization": f"Bearer {trial}", "Idempotency-Key": "one"}
    closed = Client().post("/api/v1/staff/deactivate", sent[0], content_type="application/json", headers=sent[1])
    assert (closed.status_code, closed.json()["code"]) == (403, "no_scope")
    assert User.objects.get(pk=alice.pk).is_active


def test_who_asks_too_often_learns_when_to_come_back(token, alice):
    ApiKey.objects.update(rate_per_minute=0)
    answer = ask(token, f"/{alice.pk}")
    assert (answer.status_code, answer.json()["status"]) == (429, "429")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_without_the_scope_there_is_nobody_to_find(token, house, bob, alice):
    other = a_key(house, bob, Scope.CASES_READ)
    for path, method in (("", "GET"), (f"/{alice.pk}", "GET"), (f"/{alice.pk}", "DELETE")):
        assert [ask(one, path, method).status_code for one in ("", "mzn_x_y", other)] == [401, 401, 403]
    assert ask("", "").headers["WWW-Authenticate"] == "Bearer"
    assert User.objects.get(pk=alice.pk).is_active
    assert ask(token, f"/{house.team.pk}").status_code == 404
