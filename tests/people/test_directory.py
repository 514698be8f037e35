"""Signing in with the operator's own directory: who gets in, with which roles, and what is never believed."""

import re
import time
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actors import system
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import rights
from compliance.people.access.models import Identity, Tenure
from compliance.people.access.oidc import services
from compliance.people.models import User
from tests.people.conftest import DAN
from tests.people.directory import CLIENT, SECRET, START, Directory, come, refused, roles_of
from tests.people.signing import lets_in

ROOT = Path(__file__).resolve().parents[2]


def test_the_button_is_there_where_settings_name_a_directory(directory, db):
    page = Client().get("/accounts/login/?next=/cases/").content.decode()
    assert "Sign in with Example" in page
    assert 'href="/accounts/directory/?next=/cases/"' in page


def test_without_one_there_is_neither_button_nor_door(db):
    assert "/accounts/directory/" not in Client().get("/accounts/login/").content.decode()
    assert [Client().get(START + door).status_code for door in ("", "back/")] == [404, 404]


def test_whoever_staff_added_gets_in_with_the_roles_of_their_groups(directory, dan, entries):
    client, answer = come(directory, start=START + "?next=/profile/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/profile/")
    assert lets_in(client)
    assert roles_of(dan) == ["officer"]
    assert entries("people.sign_in")[0]["data"] == {"factors": "directory"}
    assert entries("people.join_team")[-1]["actor"]["t"] == "system"
    assert Identity.objects.get(user=dan).subject == "d-1"
    assert entries("access.know_in_directory")[0]["object"]["id"] == str(dan.pk)


def test_a_group_that_is_gone_takes_its_role_and_no_other(directory, dan, house):
    come(directory)
    people.join(dan, house.team, "manager", by=system())
    assert roles_of(dan) == ["manager", "officer"]
    come(directory, groups=[])
    assert roles_of(dan) == ["manager"], "what people gave stays"


def test_a_role_that_people_gave_stays_when_a_group_has_it_too(directory, dan, house):
    people.join(dan, house.team, "officer", by=system())
    come(directory)
    come(directory, groups=[])
    assert roles_of(dan) == ["officer"]


def test_whoever_takes_a_role_of_the_directory_hears_that_it_comes_back(directory, dan, house, signed):
    come(directory)
    people.join(dan, house.team, "manager", by=system())
    Tenure.objects.update(since=timezone.now() - timedelta(days=100))
    _user, ada = signed("ada", "admin")
    of_dan, word = f"/staff/{dan.pk}/", "by the directory"
    assert [ada.get(page).content.decode().count(word) for page in (of_dan, "/staff/review/")] == [1, 1]
    for role, told in (("manager", 0), ("officer", 1)):
        taken = ada.post(f"/staff/review/{dan.memberships.get(role=role).pk}/take/", follow=True)
        assert taken.content.decode().count("or they get it back") == told, role
    come(directory)
    assert roles_of(dan) == ["officer"]


def test_roles_that_are_kept_apart_stay_apart(directory, dan, house, entries):
    people.join(dan, house.team, "auditor", by=system())
    client, _answer = come(directory)
    assert lets_in(client) and roles_of(dan) == ["auditor"]
    assert entries("people.join_team", using="log")[0]["reason"] == {"code": "kept_apart"}


@pytest.mark.parametrize("role", ["mlro", "aml_auditor", "integration", "king"])
def test_no_role_of_the_aml_side_comes_from_a_group(directory, dan, entries, role):
    directory.roles.write_text(f'[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "{role}"\n')
    assert role in services.refusals()[0], "production does not start with it"
    client, _answer = come(directory)
    assert not lets_in(client) and roles_of(dan) == []
    assert refused(entries) == ["directory_policy_broken"]


def test_a_file_that_is_broken_or_names_no_team_is_found_at_night(directory, house):
    directory.roles.write_text('[[group]]\nname = "judges"\nteam = "nowhere"\nrole = "officer"\n')
    assert "directory_unknown_team:  nowhere" in map(str, rights.findings())
    directory.roles.write_text("[[group]]\nnames = 1\n")
    assert [one.kind for one in rights.findings()] == ["directory_roles_broken"]


def test_nobody_gets_in_who_is_nobody_here(directory, house, entries):
    client, answer = come(directory)
    assert answer.headers["Location"] == "/accounts/login/"
    assert "Signing in with Example did not work" in client.get("/accounts/login/").content.decode()
    assert not User.objects.filter(email=DAN).exists()
    assert refused(entries) == ["directory_unknown_person"]


def test_unless_settings_say_that_the_directory_may_bring_people(directory, house, settings, entries):
    settings.OIDC_PROVISION = True
    come(directory, groups=["cooks"])
    assert not User.objects.filter(email=DAN).exists(), "in no group that has a role here"
    client, _answer = come(directory)
    assert lets_in(client)
    assert roles_of(User.objects.get(email=DAN)) == ["officer"]
    assert entries("people.create_user")[-1]["actor"]["t"] == "system"


def test_an_address_that_nobody_verified_opens_nothing(directory, dan, entries):
    for verified in (False, None, "yes"):
        client, _answer = come(directory, email_verified=verified)
        assert not lets_in(client)
    assert refused(entries) == ["directory_address_not_verified"] * 3
    assert not Identity.objects.exists()


def test_whoever_gets_the_address_of_a_colleague_does_not_get_their_sign_in(directory, dan, entries):
    come(directory)
    client, _answer = come(directory, sub="d-2")
    assert not lets_in(client)
    assert refused(entries) == ["directory_address_of_another"]


def test_who_was_made_anew_over_there_gets_in_once_the_old_one_is_forgotten(directory, dan, entries):
    before, _answer = come(directory)
    call_command("people", "forget-directory", DAN, "--json")
    assert not lets_in(before), "it may have been somebody else"
    [entry] = entries("access.forget_in_directory")
    assert (entry["actor"]["t"], entry["object"]["id"]) == ("system", str(dan.pk))
    client, _answer = come(directory, sub="d-2")
    assert lets_in(client) and Identity.objects.get(user=dan).subject == "d-2"


def test_every_reason_to_refuse_is_explained():
    written = (ROOT / "docs/how-to/sign-in-with-a-directory.md").read_text()
    sources = "".join(file.read_text() for file in Path(services.__file__).parent.glob("*.py"))
    codes = set(re.findall(r'NotSaid\("(\w+)"', sources)) | {"policy_broken"}
    assert len(codes) > 15
    assert sorted(code for code in codes if f"`directory_{code}`" not in written) == []


def test_a_new_address_over_there_is_the_same_person_here(directory, dan):
    come(directory)
    client, _answer = come(directory, email="dan.new@example.com", email_verified=False)
    assert lets_in(client)


def test_a_closed_sign_in_stays_closed(directory, dan, entries):
    come(directory)
    staff.deactivate_user(dan, by=system())
    client, _answer = come(directory)
    assert not lets_in(client) and roles_of(dan) == []
    assert refused(entries) == ["directory_inactive"]


def test_the_sign_in_for_emergencies_has_its_own_way(directory, dan, entries):
    staff.mark_emergency(dan, by=system())
    client, _answer = come(directory)
    assert not lets_in(client)
    assert refused(entries) == ["directory_emergency"]


# ------------------------------------------------------------------------------------------------- what is believed
def lie(directory, monkeypatch, sign):
    monkeypatch.setattr(directory.it, "sign", sign)


LIES = {
    "another key": lambda it, said: jwt.encode(said, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": it.kid}),
    "no signature": lambda it, said: jwt.encode(said, None, "none", {"kid": it.kid}),
    "our own secret": lambda it, said: jwt.encode(said, SECRET + "." * 32, "HS256", {"kid": it.kid}),
    "unknown key": lambda it, said: jwt.encode(said, it.key, "ES256", {"kid": "two"}),
    "for somebody else": lambda it, said: Directory.sign(it, said | {"aud": "shop"}),
    "for two, none named": lambda it, said: Directory.sign(it, said | {"aud": [CLIENT, "shop"]}),
    "another party": lambda it, said: Directory.sign(it, said | {"azp": "shop"}),
    "another issuer": lambda it, said: Directory.sign(it, said | {"iss": "https://evil.example.com"}),
    "another sign-in": lambda it, said: Directory.sign(it, said | {"nonce": "old"}),
    "long over": lambda it, said: Directory.sign(it, said | {"iat": 1, "exp": int(time.time()) - 120}),
    "nobody": lambda it, said: Directory.sign(it, said | {"sub": " "}),
    "no token": lambda it, said: "",
}


@pytest.mark.parametrize("how", list(LIES))
def test_what_it_did_not_sign_for_this_sign_in_opens_nothing(directory, dan, monkeypatch, how):
    lie(directory, monkeypatch, lambda said: LIES[how](directory.it, said))
    client, answer = come(directory)
    assert answer.headers["Location"] == "/accounts/login/"
    assert not lets_in(client) and not Identity.objects.exists()


def test_an_answer_that_nobody_here_asked_for_opens_nothing(directory, dan, entries):
    address = Client().get(START).headers["Location"]
    stranger = Client()
    stranger.get(directory.it.let_in(address))
    mine = Client()
    mine.get(START)
    mine.get(directory.it.let_in(address))
    assert not lets_in(stranger) and not lets_in(mine)
    assert refused(entries) == ["directory_not_asked"] * 2


def test_an_answer_opens_once(directory, dan):
    client = Client()
    back = directory.it.let_in(client.get(START).headers["Location"])
    client.get(back)
    assert lets_in(client)
    client.post("/accounts/logout/")
    client.get(back)
    assert not lets_in(client)


def test_a_directory_that_says_no_or_names_another_issuer_opens_nothing(directory, dan, entries):
    client = Client()
    client.get(START)
    state = client.session["directory_under_way"]["state"]
    client.get(f"{START}back/", {"state": state, "error": "access_denied"})
    directory.it.said = {"issuer": "https://evil.example.com"}
    assert client.get(START).headers["Location"] == "/accounts/login/"
    assert refused(entries) == ["directory_refused_there", "directory_another_issuer"]


def test_in_production_no_code_goes_over_an_open_line(directory, settings, entries, db):
    settings.IN_PRODUCTION = True
    assert Client().get(START).headers["Location"] == "/accounts/login/"
    assert refused(entries) == ["directory_no_tls"]


def test_groups_beside_the_token_are_asked_for(directory, dan):
    for name in ("email", "email_verified", "groups"):
        directory.it.claims.pop(name)
    directory.it.more = {"sub": "d-1", "email": DAN, "email_verified": True, "groups": ["judges"]}
    client, _answer = come(directory)
    assert lets_in(client) and roles_of(dan) == ["officer"]
    directory.it.more = {"sub": "d-2", "groups": []}
    client, _answer = come(directory)
    assert not lets_in(client) and roles_of(dan) == ["officer"], "of somebody else"


def test_groups_that_are_too_many_to_send_are_no_groups_to_guess(directory, dan, entries):
    client, _answer = come(directory, groups=None, _claim_names={"groups": "src1"})
    assert not lets_in(client)
    assert refused(entries) == ["directory_groups_elsewhere"]


def test_nor_where_only_the_second_address_says_so(directory, dan, entries):
    come(directory)
    directory.it.claims.pop("groups")
    directory.it.more = {"sub": "d-1", "_claim_names": {"groups": "src1"}}
    client, _answer = come(directory)
    assert not lets_in(client) and roles_of(dan) == ["officer"], "a role is not taken by a guess"
    assert refused(entries) == ["directory_groups_elsewhere"]


@pytest.mark.parametrize("said", [{"groups": 7}, {"groups": {"judges": True}}, {"_claim_names": "groups"}])
def test_groups_that_make_no_sense_take_nothing(directory, dan, entries, said):
    come(directory)
    client, _answer = come(directory, **said)
    assert not lets_in(client) and roles_of(dan) == ["officer"]
    assert refused(entries) == ["directory_not_understood"]


@pytest.mark.parametrize("said", [{"sub": "d\0"}, {"email": "dan\0@example.com"}, {"name": "\0"}, {"name": "\ud800"}])
def test_claims_that_nobody_can_keep_open_nothing(directory, dan, entries, said):
    client, answer = come(directory, **said)
    assert answer.headers["Location"] == "/accounts/login/" and not lets_in(client)
    assert refused(entries) == ["directory_not_understood"] and not Identity.objects.exists()


def test_a_directory_that_speaks_something_else_is_not_reached(directory, dan, entries):
    directory.it.mute = True
    assert Client().get(START).headers["Location"] == "/accounts/login/"
    assert refused(entries) == ["directory_not_reached"]


def test_who_is_refused_is_named_in_the_log_with_the_address_sealed(directory, dan, entries):
    come(directory, email_verified=False)
    come(directory)
    staff.deactivate_user(dan, by=system())
    come(directory, email="new@example.com")
    come(directory, sub="d-2", email="who@example.com")
    assert refused(entries) == [f"directory_{code}" for code in ("address_not_verified", "inactive", "unknown_person")]
    found = entries("people.fail_sign_in", using="log")
    assert [one["object"]["id"] for one in found] == [str(dan.pk), str(dan.pk), "unknown"]
    assert all(one["sealed"]["n"] > 0 and "example.com" not in str(one) for one in found)


def test_roles_are_brought_while_nobody_else_changes_them(directory, dan):
    come(directory)
    with CaptureQueriesContext(connection) as ran:
        come(directory)
    asked = [one["sql"] for one in ran]
    waits = next(place for place, sql in enumerate(asked) if 'FROM "people_user"' in sql and "FOR UPDATE" in sql)
    assert waits < next(place for place, sql in enumerate(asked) if 'FROM "people_membership"' in sql)


def test_the_way_back_never_leaves_the_house(directory, dan):
    _client, answer = come(directory, start=START + "?next=https://evil.example.com/")
    assert answer.headers["Location"] == "/"
