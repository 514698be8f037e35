"""The operator's own directory: the second step, wrong passwords, the AML side, showing it again, signing out."""

import html
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from audit.actors import system
from compliance.outbox.models import OutboxRow
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import attempts, letters
from compliance.people.access.confirmation import SIGNED_IN_AT
from compliance.people.access.models import Attempts, Identity, Session
from compliance.people.access.oidc import services, views
from tests.people.conftest import DAN
from tests.people.directory import CLIENT, START, come, refused
from tests.people.signing import PASSWORD, again, lets_in
from tests.people.test_factors import code, enrolled


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
    monkeypatch.setattr(views, "MOST", 2)
    cache.clear()
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
HEAVY, OUT = "/staff/add/", "/accounts/directory/out/"


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


def test_whoever_came_from_there_may_sign_out_there_too(directory, admin, settings):
    """Wherever the request says to go: the address is the directory's own word, the way back is ours."""
    settings.BASE_URL = "https://mizan.example.com"
    directory.it.said = {"end_session_endpoint": f"{directory.it.url}/out?realm=1"}
    assert admin.get(OUT).headers["Location"] == "/", "who is signed in here is not led out"
    assert admin.post("/accounts/logout/").headers["Location"] == OUT
    page = admin.get(f"{OUT}?next=https://evil.example.com/&post_logout_redirect_uri=https://evil.example.com/")
    [address] = re.findall(r'href="(http://127[^"]+)"', page.content.decode())
    where = urlsplit(html.unescape(address))
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{directory.it.url}/out"
    back = "https://mizan.example.com/accounts/login/"
    assert parse_qs(where.query) == {"realm": ["1"], "client_id": [CLIENT], "post_logout_redirect_uri": [back]}
    assert "evil" not in address


@pytest.mark.parametrize(
    "door", [None, "", 7, ["x"], "javascript:alert(1)", "//evil.example.com/out", "ftp://there/out"]
)
def test_where_it_names_no_door_of_a_kind_one_is_signed_out_here(directory, admin, door):
    directory.it.said = {"end_session_endpoint": door}
    assert admin.post("/accounts/logout/").headers["Location"] == OUT
    assert admin.get(OUT).headers["Location"] == "/accounts/login/" and not lets_in(admin)


def test_whoever_typed_a_password_is_not_sent_there_and_without_one_there_is_no_such_page(directory, signed, settings):
    _user, client = signed("ada", "admin")
    assert client.post("/accounts/logout/").headers["Location"] == "/"
    settings.OIDC_ISSUER = ""
    assert client.get(OUT).status_code == 404
