"""Signing in with the operator's own directory: who gets in, with which roles, and what is never believed."""

import re
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from compliance.outbox.models import OutboxRow
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import attempts, letters, rights
from compliance.people.access.confirmation import SIGNED_IN_AT
from compliance.people.access.models import Attempts, Identity, Session, Tenure
from compliance.people.access.oidc import services, views
from compliance.people.models import User
from tests.people.directory import CLIENT, SECRET, Directory
from tests.people.signing import PASSWORD, again, lets_in
from tests.people.test_factors import code, enrolled

ROOT = Path(__file__).resolve().parents[2]
START, DAN = "/accounts/directory/", "dan@example.com"


@pytest.fixture(scope="module")
def running():
    with Directory() as directory:
        yield directory


@pytest.fixture
def directory(running, settings, tmp_path):
    """Dan stands in it; the group "judges" decides in the team of the house."""
    cache.clear()
    running.claims = {"sub": "d-1", "email": DAN, "email_verified": True, "name": "Dan", "groups": ["judges"]}
    running.more, running.said, running.kid, running.mute = None, {}, "one", False
    roles = tmp_path / "groups.toml"
    roles.write_text('[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "officer"\n')
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = running.url, CLIENT, SECRET
    settings.OIDC_NAME, settings.OIDC_ROLES = "Example", str(roles)
    settings.BASE_URL = "http://testserver"
    return SimpleNamespace(it=running, roles=roles, claims=running.claims)


@pytest.fixture
def dan(house):
    return people.create_user(email=DAN, name="Dan", by=system())


def come(directory, client=None, start=START, **claims):
    """Through the button, over there, and back. The browser and the last answer."""
    client = client or Client()
    gone = client.get(start)
    assert gone.status_code == 302 and gone.headers["Location"].startswith(directory.it.url + "/in?"), gone.headers
    return client, client.get(directory.it.let_in(gone.headers["Location"], **claims))


def roles_of(user):
    return sorted(user.memberships.values_list("role", flat=True))


def refused(entries):
    return [entry["reason"]["code"] for entry in entries("people.fail_sign_in", using="log")]


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


# ------------------------------------------------------------------------------------------------- the second factor
def test_our_own_second_step_is_asked_unless_settings_believe_theirs(directory, dan, settings, entries):
    settings.SECOND_FACTOR = "required"
    enrolled(dan)
    client, answer = come(directory, amr=["pwd", "mfa"])
    assert answer.headers["Location"] == reverse("mfa_authenticate") and not lets_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert lets_in(client)
    settings.OIDC_AMR = ["mfa"]
    client, _answer = come(directory, amr=["pwd", "mfa"])
    assert lets_in(client)
    assert entries("people.sign_in")[-1]["data"] == {"factors": "directory+second"}
    client, answer = come(directory, amr=["pwd"])
    assert answer.headers["Location"] == reverse("mfa_authenticate"), "they asked for a password only"


def test_who_has_none_sets_one_up_or_showed_one_over_there(directory, dan, settings, house):
    settings.SECOND_FACTOR, settings.OIDC_ACR = "required", ["urn:two"]
    client, _answer = come(directory)
    assert client.get("/profile/").headers["Location"] == reverse("mfa_index")
    client, _answer = come(directory, acr="urn:two")
    assert lets_in(client)
    staff.join(dan, house.team, "manager", by=system())
    assert lets_in(client), "a new role does not forget it"


@pytest.mark.parametrize("door", ["", "back/", "confirm/"])
def test_nobody_has_the_directory_asked_without_end(directory, admin, monkeypatch, door):
    monkeypatch.setattr(views, "LIMITS", dict.fromkeys(views.LIMITS, "2/h/ip"))
    answers = [admin.get(START + door).status_code for _time in range(3)]
    asked = len(directory.it.calls)
    assert (answers, admin.get(START + door).status_code) == ([302, 302, 429], 429)
    assert len(directory.it.calls) == asked, "the directory hears nothing of it"


# ------------------------------------------------------------------------------------------------- wrong passwords
def test_the_directory_alone_neither_forgets_nor_opens_what_guessing_locked(directory, dan, settings):
    counted = Attempts.objects.create(user=dan, failed=99)
    come(directory)
    attempts.failed(dan)
    assert attempts.is_locked(dan), "a guesser gets no new hundred with each sign-in of the owner"
    client, _answer = come(directory)
    assert lets_in(client) and attempts.is_locked(dan)
    counted.refresh_from_db()
    assert counted.failed == 100


def test_a_lock_of_wrong_codes_holds_behind_the_directory_too(directory, dan, settings):
    settings.SECOND_FACTOR = "required"
    enrolled(dan)
    Attempts.objects.create(user=dan, failed=99)
    client, _answer = come(directory)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert not lets_in(client) and attempts.is_locked(dan)


# ------------------------------------------------------------------------------------------------- the AML side
def test_whoever_rules_the_directory_does_not_become_the_reporting_officer(directory, dan, house, settings, entries):
    settings.SECOND_FACTOR, settings.OIDC_AMR = "required", ["mfa"]
    people.join(dan, house.team, "mlro", by=system())
    client, answer = come(directory, amr=["mfa"])
    assert (answer.headers["Location"], lets_in(client)) == ("/accounts/login/", False)
    assert refused(entries) == ["directory_aml_side"] and not Identity.objects.exists()
    stranger, _answer = come(directory, email="who@example.com", sub="d-2")
    said, other = (one.get("/accounts/login/").content.decode() for one in (client, stranger))
    assert said.split("csrfmiddlewaretoken")[0] == other.split("csrfmiddlewaretoken")[0], "it reads like any other"


def test_a_role_of_the_aml_side_ends_all_that_the_directory_opened(directory, dan, house, settings, entries):
    settings.SECOND_FACTOR = "required"
    here, _answer = come(directory, groups=[])
    here.post(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    enrolled(dan)
    dan.refresh_from_db()
    assert lets_in(here) and dan.has_usable_password()
    people.join(dan, house.team, "mlro", by=system())
    assert not lets_in(here) and here.get(reverse("mfa_activate_totp")).status_code == 302
    dan.refresh_from_db()
    assert not dan.has_usable_password() and not Authenticator.objects.exists(), "nor does anything come back with them"
    assert [one["data"] for one in entries("access.forget_in_directory")] == [{"factors": 1}]
    for amr in ([], ["mfa"]):
        client, _answer = come(directory, groups=[], amr=amr)
        assert not lets_in(client)
    assert refused(entries) == ["directory_aml_side"] * 2
    Client().post(reverse("account_reset_password"), {"email": DAN})
    assert OutboxRow.objects.get(kind=letters.RESET).payload == {"user_id": str(dan.pk)}, (
        "a link in a letter begins anew"
    )


def test_a_role_of_the_aml_side_takes_nothing_from_whom_the_directory_does_not_know(directory, signed, house):
    user, client = signed("ada", "analyst")
    enrolled(user)
    people.join(user, people.create_team(name="Two", by=system()), "analyst", by=system())
    assert lets_in(client) and Authenticator.objects.filter(user=user).exists()


def test_nor_does_a_sign_in_that_is_under_way_get_there(directory, dan, house, settings, monkeypatch):
    settings.OIDC_AMR = ["mfa"]
    note = views._note

    def meanwhile(*given, **more):
        people.join(dan, house.team, "mlro", by=system())
        return note(*given, **more)

    monkeypatch.setattr(views, "_note", meanwhile)
    client, _answer = come(directory, groups=[], amr=["mfa"])
    assert not lets_in(client) and not Session.objects.open().filter(user=dan).exists()


def test_who_is_forgotten_meanwhile_is_not_known_again_without_their_address(directory, dan, entries, monkeypatch):
    come(directory)
    known = services._known

    def meanwhile(said):
        found = known(said)
        call_command("people", "forget-directory", DAN, "--json")
        return found

    monkeypatch.setattr(services, "_known", meanwhile)
    client, _answer = come(directory, email="who@example.com")
    assert not lets_in(client) and not Identity.objects.exists()
    assert refused(entries) == ["directory_address_of_another"]


# ------------------------------------------------------------------------------------------------- confirmation
HEAVY = "/staff/add/"


@pytest.fixture
def admin(directory, dan, house):
    directory.roles.write_text('[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "admin"\n')
    return come(directory)[0]


def long_ago(client):
    session = client.session
    before = time.time() - 3600
    session[SIGNED_IN_AT] = before
    session["account_authentication_methods"][0]["at"] = before
    session.save()


def test_a_sign_in_of_this_morning_over_there_is_not_fresh_here(directory, dan):
    directory.roles.write_text('[[group]]\nname = "judges"\nteam = "dogrulama"\nrole = "admin"\n')
    client, _answer = come(directory, auth_time=int(time.time()) - 3600)
    assert client.get(HEAVY).headers["Location"] == f"/accounts/directory/confirm/?next={HEAVY.replace('/', '%2F')}"


def test_before_a_heavy_act_the_directory_asks_anew(directory, admin, entries):
    assert admin.get(HEAVY).status_code == 200
    long_ago(admin)
    way = admin.get(HEAVY).headers["Location"]
    _client, answer = come(directory, admin, start=way, auth_time=int(time.time()) - 3600)
    assert admin.get(HEAVY).status_code == 302, "it did not ask: nothing is confirmed"
    assert (directory.it.asked.prompt, directory.it.asked.max_age) == ("login", "0")
    _client, answer = come(directory, admin, start=way, sub="d-2")
    assert admin.get(HEAVY).status_code == 302, "somebody else at this desk"
    _client, answer = come(directory, admin, start=way)
    assert (answer.headers["Location"], admin.get(HEAVY).status_code) == (HEAVY, 200)
    assert entries("access.confirm")[0]["data"] == {"factors": "directory"}
    assert refused(entries) == ["directory_not_confirmed"] * 2


def test_who_signed_in_with_a_password_is_asked_for_it(directory, signed):
    user, client = signed("ada", "admin")
    session = client.session
    session[SIGNED_IN_AT], session["account_authentication_methods"] = 0, []
    session.save()
    assert client.get(HEAVY).headers["Location"].startswith("/accounts/reauthenticate/")
    assert again(user)


def test_signing_out_is_noted(directory, admin, entries):
    admin.post("/accounts/logout/")
    assert not lets_in(admin)
    assert len(entries("people.sign_out")) == 1
