"""Every page of the running product: accessible, calm in each size and direction, and within its own policy.

One sign-in walks all addresses of the URL conf in a language. Nobody keeps a list: a page that is added is walked. What
the parameters of its address stand for is in `places`.
"""

import pytest

from audit import context
from compliance.people.models import User
from compliance.proposals.services import propose
from tests.browser.looking import LANGUAGES, no_violations, serve
from tests.browser.parts import page_from
from tests.browser.routes import addresses, granted, public, signed_in
from tests.browser.walking import Absent, problems, speaking, walk
from tests.journeys.people import sign_in
from tests.papers import a_file, bring
from tests.whole import by_hand, times
from tests.world import PASSWORD, a_world

pytestmark = pytest.mark.browser

# English shows the page, Arabic its mirror; Turkish adds longer words, looked at where time is no matter.
SPOKEN = [
    language if language != "tr" else pytest.param(language, marks=[pytest.mark.slow, by_hand])
    for language in LANGUAGES
]
# States of a page that an address brings about.
ASKED = [
    "/cases/?view=all",
    "/cases/?view=all&q=nobody",
    "/search/?q={number}",
    "/search/?q=nobody",
    "/cases/KYC-26-999999-9/",
]
ENDS = ["/accounts/logout/"]  # asked last: it shows a page, and a library may change its mind
STANDING = ["400", "403", "403_csrf", "404", "409", "410", "422", "429", "500", "503"]


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def places(world):
    """What the parameters of addresses stand for: a verification with a file, another whose refusal is proposed."""
    with context.use(context.new("test")):
        case, other = world.verification(), world.verification()
        evidence = bring(case, "identity_front", "national_id", by=world.alice, data=a_file())
        proposal = propose("verification.reject", other, by=world.alice, reason="person_differs")
    return {
        "number": case.number,
        "evidence_id": evidence.pk,
        "proposal_id": proposal.pk,
        "act": "approve",
        "field": "phone",
        "page": 1,
        "log": "main",
        "seq": 1,
    }


@pytest.mark.parametrize("language", SPOKEN)
def test_the_pages_before_the_sign_in(stack, browser, language):
    with browser.new_context(base_url=stack.url, locale=language) as visitor:
        page = visitor.new_page()
        assert len(walk(page, addresses(public, Absent()), language)) >= 6
        assert page.evaluate("document.documentElement.lang") == language


def pages_of(person, language, stack, new_context, places):
    page = sign_in(stack, new_context, speaking(person, language))
    asked = [*addresses(signed_in, Absent(places)), *(address.format(**places) for address in ASKED)]
    # In CI the mirror is held before a third of the pages: all have the same frame and parts (test_look.py).
    return walk(page, [*asked[:: 1 if language == "en" else times(1, 3)], *ENDS], language)


@pytest.mark.parametrize("language", SPOKEN)
def test_the_pages_of_an_agent(stack, world, places, new_context, language):
    seen = pages_of(world.alice, language, stack, new_context, places)
    assert len(seen) >= (15 if language == "en" else times(15, 8))
    if language == "en":
        assert f"/cases/{places['number']}/review/{places['evidence_id']}/" in seen


@pytest.mark.slow
@pytest.mark.parametrize(("role", "own"), [("bob", "/approvals/{proposal_id}/"), ("carol", "/audit/main/1/")])
def test_the_pages_that_an_agent_does_not_get(stack, world, places, new_context, role, own):
    """An officer's and an auditor's; and the pages of everybody that look otherwise for who may not work there."""
    theirs = addresses(granted, Absent(places))
    page = sign_in(stack, new_context, speaking(getattr(world, role), "tr"))
    also = ["/cases/?view=all", "/cases/{number}/", "/approvals/", "/approvals/{proposal_id}/"]
    seen = walk(page, [*theirs, *(address.format(**places) for address in also)], "tr")
    assert own.format(**places) in seen


@pytest.mark.parametrize("language", SPOKEN)
def test_the_pages_that_stand_when_nothing_else_does(page, language):
    """Errors that no visit brings about; rendered without person, database or server."""
    reasons = ["Not accepted yet: address"]
    wrong = []
    for name in STANDING:
        given = {
            "reasons": reasons,
            "changes": reasons,
            "mine": "my note",
            "theirs": "their note",
            "request_id": "0a1b",
        }
        page.goto(serve(page, page_from(f'{{% extends "{name}.html" %}}', language, **given)))
        wrong += problems(page, language)
    assert not wrong, "\n".join(wrong)


def test_a_dark_theme_follows_the_person(stack, world, new_context):
    User.objects.filter(pk=world.alice.pk).update(theme="dark")
    page = sign_in(stack, new_context, world.alice)
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    no_violations(page)


def test_what_is_wrong_with_a_sign_in_is_said_above_and_at_the_field(stack, new_context):
    page = new_context(base_url=stack.url).new_page()
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill("nobody@example.com")
    page.locator("main form button").first.click()
    said = page.get_by_role("alert").get_by_role("link")
    assert said.inner_text() == "Password: fill this in."
    assert page.locator(".wrong").inner_text() == said.inner_text()
    assert page.locator("input[name=login]").input_value() == "nobody@example.com"
    said.click()
    assert page.evaluate("document.activeElement.name") == "password"


def test_a_wrong_password_is_told_without_saying_who_exists(stack, world, new_context):
    page = new_context(base_url=stack.url).new_page()
    said = []
    for login in (world.alice.email, "nobody@example.com"):
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill("not the password")
        page.locator("main form button").first.click()
        said.append(page.get_by_role("alert").inner_text())
    assert said[0] == said[1]
    assert "do not fit each other" in said[0]


def test_the_product_works_without_script(stack, world, places, new_context):
    page = new_context(base_url=stack.url, java_script_enabled=False).new_page()
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(world.alice.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button").first.click()
    page.goto(f"/cases/{places['number']}/")
    page.locator("textarea[name=text]").fill("Read without script.")
    page.locator("textarea[name=text] >> xpath=ancestor::form").get_by_role("button").click()
    assert "Read without script." in page.locator(".timeline").inner_text()
