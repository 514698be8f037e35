"""Every page of the running product: accessible, calm in each size and direction, and within its own policy.

One sign-in walks all pages of its role in a language. A page that is added goes into the list of its role.
"""

import pytest

from audit import context
from compliance.people.models import User
from tests.browser.looking import LANGUAGES, SIZES, no_sideways_scroll, no_violations, refusals
from tests.journeys.people import sign_in
from tests.papers import a_file, bring
from tests.world import PASSWORD, a_world

pytestmark = pytest.mark.browser

# English shows the page, Arabic its mirror; Turkish adds longer words, looked at where time is no matter.
SPOKEN = [language if language != "tr" else pytest.param(language, marks=pytest.mark.slow) for language in LANGUAGES]
ENTRANCE = ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/signup/"]
AGENT = [
    "/cases/?view=all",
    "/cases/?view=all&q=nobody",
    "/cases/{number}/",
    "/cases/{number}/review/{evidence}/",
    "/search/?q={number}",
    "/search/?q=nobody",
    "/cases/new/verification/",
    "/approvals/",
    "/profile/",
    "/accounts/2fa/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/cases/KYC-26-999999-9/",
]
AUDITOR = ["/audit/", "/audit/export/", "/cases/?view=all", "/cases/{number}/"]


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def places(world):
    """A verification with one file, by its addresses."""
    with context.use(context.new("test")):
        case = world.verification()
        evidence = bring(case, "identity_front", "national_id", by=world.alice, data=a_file())
    return {"number": case.number, "evidence": evidence.pk}


def walk(page, addresses, **places):
    """Visit each address in two sizes; say all that is wrong at the end, not only the first."""
    wrong, said = [], refusals(page)
    for address in addresses:
        page.goto(address.format(**places))
        for size in ("desk", "phone"):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(reduced_motion="reduce")
            for check in (no_violations, no_sideways_scroll):
                try:
                    check(page)
                except AssertionError as broken:
                    wrong.append(str(broken))
        if not page.title().endswith("– Mizan") or page.locator("h1").count() != 1:
            wrong.append(f"{page.url}: title {page.title()!r}, {page.locator('h1').count()} first headings")
    # A page that is not there answers 404, and the browser says so: nothing else may be said.
    wrong += [text for text in said if "404" not in text]
    assert not wrong, "\n".join(wrong)


def speaking(user, language):
    User.objects.filter(pk=user.pk).update(language=language)
    return user


@pytest.mark.parametrize("language", SPOKEN)
def test_the_pages_before_the_sign_in(stack, browser, language):
    with browser.new_context(base_url=stack.url, locale=language) as visitor:
        page = visitor.new_page()
        walk(page, [*ENTRANCE, "/nowhere/"])
        assert page.evaluate("document.documentElement.lang") == language


@pytest.mark.parametrize("language", SPOKEN)
def test_the_pages_of_an_agent(stack, world, places, new_context, language):
    walk(sign_in(stack, new_context, speaking(world.alice, language)), AGENT, **places)


def test_the_pages_of_an_auditor(stack, world, places, new_context):
    page = sign_in(stack, new_context, world.carol)
    walk(page, AUDITOR, **places)
    page.goto("/audit/")
    page.locator(".list .key").first.click()
    walk(page, [page.url])


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
