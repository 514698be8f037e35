"""What is typed stays while the connection is away and after the session ended, and is kept once it can be."""

import pytest
from playwright.sync_api import expect

from audit import context
from tests.journeys.people import sign_in
from tests.world import PASSWORD, a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = "Oyuncu pasaportunu yarın getirecek"


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def number(world):
    with context.use(context.new("test")):
        return world.verification("L1").number


def test_no_typed_text_is_lost(stack, world, number, new_context):
    page = sign_in(stack, new_context, world.alice)
    page.goto(f"/cases/{number}/")
    note, kept = page.locator("textarea[name=text]"), page.locator(".composer [data-draft]").first
    page.context.set_offline(True)
    note.press_sequentially(WORDS)
    expect(kept).to_contain_text("no connection")
    page.context.set_offline(False)
    expect(kept).to_contain_text("Draft kept")

    page.context.clear_cookies()  # the session is gone
    note.press_sequentially(", sabah")
    expect(kept).to_contain_text("your session ended")
    assert page.url.endswith(f"/cases/{number}/") and note.input_value() == f"{WORDS}, sabah"
    second = page.context.new_page()  # a sign-in in another window brings another token
    second.goto("/accounts/login/")
    second.get_by_label("E-mail").fill(world.alice.email)
    second.get_by_label("Password", exact=True).fill(PASSWORD)
    second.locator("main form button").first.click()
    second.wait_for_url(lambda url: "/login/" not in url)
    expect(kept).to_contain_text("Draft kept")
    page.get_by_role("button", name="Save note").click()
    page.get_by_text("Note saved").wait_for()
    expect(page.locator(".said").first).to_have_text(f"{WORDS}, sabah")
