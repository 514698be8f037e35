"""A passkey from its making to its end, with a key that Chromium plays: nobody but the browser signs anything here."""

from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator

from audit.models import Entry
from tests.journeys.people import sign_in
from tests.world import a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}


def with_a_key(page):
    """The page's browser holds a key that answers as its owner would, with finger or PIN shown."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = KEY | {"isUserVerified": True, "automaticPresenceSimulation": True}
    key = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return session, {"authenticatorId": key}


def test_from_its_making_to_its_end(stack, committed, new_context):
    world = a_world()
    # A key belongs to a name, never to a number such as 127.0.0.1.
    here = f"http://localhost:{urlsplit(stack.url).port}"
    page = sign_in(stack, new_context, world.bob, at=here)
    browser, key = with_a_key(page)
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    (made,) = browser.send("WebAuthn.getCredentials", key)["credentials"]
    assert made["rpId"] == "localhost" and made["isResidentCredential"]
    (kept,) = Authenticator.objects.filter(user=world.bob, type=Authenticator.Type.WEBAUTHN)
    assert kept.wrap().is_passwordless

    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    assert page.get_by_role("main").get_by_role("heading", level=1).is_visible()
    page.goto("/accounts/2fa/webauthn/reauthenticate/?next=/approvals/")
    page.get_by_role("button", name="Confirm with a key").click()
    page.wait_for_url(f"{here}/approvals/")
    said = Entry.objects.filter(actor_id=str(world.bob.pk), action__in=("people.sign_in", "access.confirm"))
    ways = [(entry.action, entry.facts["data"]["factors"]) for entry in said.order_by("id")]
    assert ways == [("people.sign_in", "password"), ("people.sign_in", "webauthn"), ("access.confirm", "webauthn")]

    refused = Entry.objects.filter(action="people.fail_sign_in")
    page.goto(f"/accounts/2fa/webauthn/keys/{kept.pk}/remove/")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/webauthn/")
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("This passkey opens no sign-in here.").wait_for()
    assert refused.latest("id").facts["reason"] == {"code": "unknown_passkey"}
    assert page.context.request.get(f"{here}/cases/", max_redirects=0).status == 302
    assert (
        len(browser.send("WebAuthn.getCredentials", key)["credentials"]) == 1
    )  # it still has it, and it opens nothing


def leave(page):
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").last.click()
    page.wait_for_url("**/accounts/login/**")
