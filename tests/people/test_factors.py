"""The second step: required by role, sealed at rest, never the last one removed; and confirmation before heavy acts."""

import os
import subprocess
import sys
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as codes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from django.core import mail
from django.test import Client
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from compliance.outbox.models import OutboxRow
from compliance.people import staff
from compliance.people.access import alarms, factors, letters
from compliance.people.access.confirmation import SIGNED_IN_AT, span
from compliance.people.models import User
from tests.people.signing import PASSWORD, again, lets_in

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def asked_for(settings):
    settings.SECOND_FACTOR = "required"


def code(secret=SECRET):
    return format_hotp_value(hotp_value(secret, next(iter(codes.yield_hotp_counters_from_time()))))


def enrolled(user):
    TOTP.activate(user, SECRET)
    return user


def test_a_role_that_needs_a_second_step_gets_nowhere_without(signed):
    _user, client = signed("dan", "officer")
    for path in ("/", "/cases/", "/profile/", "/audit/", "/staff/roles/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers.get("Location")) == (302, reverse("mfa_index")), path
    assert client.post("/cases/next/").headers["Location"] == reverse("mfa_index")
    assert client.get("/cases/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == reverse("mfa_index")
    assert "Your role needs a second step" in client.get(reverse("mfa_index")).content.decode()


def test_setting_one_up_opens_the_way_and_gives_recovery_codes(signed, entries, django_capture_on_commit_callbacks):
    user, client = signed("dan", "officer")
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer.status_code == 302
    assert lets_in(client)
    assert Authenticator.objects.filter(user=user, type="recovery_codes").exists()
    assert {entry["data"]["factor"] for entry in entries("people.change_factors")} == {"totp", "recovery_codes"}


def test_somebody_without_a_role_needs_none(signed):
    _user, client = signed("dan")
    assert lets_in(client)


def test_a_new_role_asks_at_once_in_sessions_that_run(signed, house):
    user, client = signed("dan")
    staff.join(user, house.team, "agent", by=system())
    assert not lets_in(client)


def test_the_password_alone_opens_nothing_after_that(house, signed):
    user, _client = signed("dan", "officer")
    enrolled(user)
    client = again(user)  # the answer is a redirect to the second step
    assert "_auth_user_id" not in client.session
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert client.post(reverse("mfa_authenticate"), {"code": code()}).status_code == 302
    assert lets_in(client)


def test_a_code_works_once(signed, house):
    user, _client = signed("dan", "officer")
    enrolled(user)
    now = code()
    first, second = again(user), again(user)
    first.post(reverse("mfa_authenticate"), {"code": now})
    second.post(reverse("mfa_authenticate"), {"code": now})
    assert (lets_in(first), lets_in(second)) == (True, False)


def test_the_secret_is_sealed_in_the_database(signed):
    user, _client = signed("dan", "officer")
    enrolled(user)
    kept = Authenticator.objects.get(user=user, type="totp").data["secret"]
    assert kept.startswith(factors.SEALED)
    assert SECRET not in kept
    assert factors.Factors().decrypt(kept) == SECRET


def test_the_last_factor_stays_where_a_role_needs_it(signed, house):
    user, client = signed("dan", "officer")
    one = enrolled(user) and Authenticator.objects.get(user=user, type="totp")
    assert not factors.Factors().can_delete_authenticator(one)
    staff.leave(user, house.team, "officer", by=system())
    assert factors.Factors().can_delete_authenticator(Authenticator.objects.get(pk=one.pk))


def test_a_sign_in_for_emergencies_needs_none_and_is_an_alarm(signed, entries):
    signed("ada", "admin")
    user, _client = signed("safe", "admin")
    staff.mark_emergency(user, by=system())
    client = again(user)
    assert lets_in(client)
    assert entries("access.use_emergency")[-1]["data"] == {"told": 1}
    with pytest.raises(alarms.NotInOrder):
        alarms.ensure_no_emergency()
    letters.emergency(OutboxRow.objects.get(kind=letters.EMERGENCY))
    assert [letter.to for letter in mail.outbox] == [["ada@example.com"]]
    assert user.sessions.order_by("-started_at")[0].idle.total_seconds() == 15 * 60


def test_production_refuses_to_make_it_optional():
    """In settings; the test runs them as production would."""
    env = os.environ | {"MIZAN_ENV": "production", "SECOND_FACTOR": "optional", "BASE_URL": "https://mizan.example.com"}
    env |= {"EMAIL_URL": "smtp+tls://mail.example.com"}
    done = subprocess.run([sys.executable, "-c", "import compliance.settings"], env=env, capture_output=True, text=True)
    assert "SECOND_FACTOR is 'optional'. In production it is required" in done.stderr


# ------------------------------------------------------------------------------------------------- confirmation
HEAVY = "/staff/add/"


@pytest.fixture
def admin(signed, settings):
    settings.SECOND_FACTOR = "optional"
    return signed("ada", "admin")


def long_ago(client, minutes):
    session = client.session
    session[SIGNED_IN_AT] = time.time() - minutes * 60
    session["account_authentication_methods"] = []
    session.save()


def test_right_after_the_sign_in_nothing_is_asked(admin):
    _user, client = admin
    assert client.get(HEAVY).status_code == 200


def test_later_a_heavy_page_asks_and_leads_back(admin, entries):
    user, client = admin
    long_ago(client, 16)
    answer = client.get(HEAVY)
    assert answer.headers["Location"] == f"/accounts/reauthenticate/?next={HEAVY.replace('/', '%2F')}"
    assert lets_in(client), "what is not heavy goes on"
    wrong = client.post(answer.headers["Location"], {"password": "wrong horse", "next": HEAVY})
    assert (wrong.status_code, client.get(HEAVY).status_code) == (200, 302)
    right = client.post(answer.headers["Location"], {"password": PASSWORD, "next": HEAVY})
    assert right.headers["Location"] == HEAVY
    assert client.get(HEAVY).status_code == 200
    assert entries("access.confirm")[0]["data"] == {"factors": "password"}


def test_what_is_typed_in_time_may_be_sent_in_twice_the_time(admin):
    _user, client = admin
    form = {"name": "New", "email": "new@example.com", "language": "en"}
    long_ago(client, 29)
    assert client.post(HEAVY, form).status_code == 302
    assert User.objects.filter(email="new@example.com").exists()
    long_ago(client, 31)
    answer = client.post(HEAVY, form | {"email": "newer@example.com"})
    assert "/accounts/reauthenticate/" in answer.headers["Location"]
    assert not User.objects.filter(email="newer@example.com").exists()


def test_with_a_second_step_the_code_is_asked(admin):
    user, client = admin
    enrolled(user)
    long_ago(client, 16)
    assert client.get(HEAVY).headers["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_a_fragment_is_sent_to_the_question_as_a_whole_page(admin):
    _user, client = admin
    long_ago(client, 16)
    answer = client.get(HEAVY, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"][:26]) == (204, "/accounts/reauthenticate/?")


def test_the_way_back_never_leaves_the_house(admin):
    _user, client = admin
    long_ago(client, 31)
    answer = client.post(HEAVY, {}, headers={"Referer": "https://evil.example.com/"})
    assert answer.headers["Location"].endswith("next=%2F")


def test_the_span_is_data():
    assert span().total_seconds() == 15 * 60


def test_a_passkey_page_opens_without_script_of_strangers(admin):
    _user, client = admin
    page = client.get(reverse("mfa_add_webauthn"))
    assert page.status_code == 200
    assert "https://" not in page.content.decode().replace("https://www.w3.org", "")
    assert Client().get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).status_code in (
        200,
        302,
    )


def test_a_recovery_code_opens_once(signed, house):
    user, _client = signed("dan", "officer")
    enrolled(user)
    spare = RecoveryCodes.activate(user).get_unused_codes()[0]
    first, second = again(user), again(user)
    first.post(reverse("mfa_authenticate"), {"code": spare})
    second.post(reverse("mfa_authenticate"), {"code": spare})
    assert (lets_in(first), lets_in(second)) == (True, False)


def test_a_passkey_that_is_not_ours_opens_nothing_and_is_an_entry(house):
    refused = Entry.objects.using("log").filter(action="people.fail_sign_in")
    client, before = Client(), set(refused.values_list("pk", flat=True))
    sent = {"credential": '{"id": "x", "rawId": 1}'}
    page = client.post(reverse("mfa_login_webauthn"), sent, follow=True).content.decode()
    assert "This passkey opens no sign-in here." in page and not lets_in(client)
    (entry,) = refused.exclude(pk__in=before)
    said = (entry.actor_kind, entry.object_id, entry.facts["reason"]["code"])
    assert said == ("anonymous", "unknown", "unknown_passkey")


def test_a_right_passkey_of_a_closed_sign_in_is_an_entry_and_reads_alike(house, member, entries, monkeypatch):
    dan = staff.deactivate_user(member("dan"), by=system())
    key = Authenticator(user=dan, type=Authenticator.Type.WEBAUTHN, data={})
    monkeypatch.setattr(LoginWebAuthnForm, "clean_credential", lambda form: key)  # signed by it: only a browser can
    client = Client()
    page = client.post(reverse("mfa_login_webauthn"), {"credential": '{"id": "x"}'}, follow=True).content.decode()
    assert "This passkey opens no sign-in here." in page and not lets_in(client)
    [entry] = entries("people.fail_sign_in", using="log")
    assert (entry["object"]["id"], entry["reason"]["code"]) == (str(dan.pk), "inactive")


@pytest.mark.parametrize("sent", ["", "{}", "[]", "no json", '"x"'])
def test_what_is_no_passkey_at_all_opens_nothing(house, sent):
    client = Client()
    assert client.post(reverse("mfa_login_webauthn"), {"credential": sent}).status_code == 302
    assert not lets_in(client)
