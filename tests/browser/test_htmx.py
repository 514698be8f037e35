"""What changes on a page without loading it anew. Everything here also works without script, by links and forms."""

import pytest
from playwright.sync_api import expect

from audit import context
from tests.browser.looking import refusals
from tests.journeys.people import sign_in
from tests.papers import a_file
from tests.world import a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def numbers(world):
    with context.use(context.new("test")):
        return [world.verification("L2").number for _case in range(2)]


@pytest.fixture
def page(stack, world, numbers, new_context):
    return sign_in(stack, new_context, world.alice)


def mark(page):
    """Leave a trace that goes when the page is loaded anew."""
    page.evaluate("document.body.dataset.stayed = 'yes'")


def stayed(page):
    return page.evaluate("document.body.dataset.stayed") == "yes"


@pytest.fixture
def idle_worker(stack):
    """The worker sleeps until the test wakes it, so that a page surely comes before the inspection."""
    stack.pause("worker")
    yield lambda: stack.resume("worker")
    stack.resume("worker")


def test_a_file_that_was_checked_shows_so_by_itself_and_a_screen_reader_hears_it(page, numbers, idle_worker, tmp_path):
    said = refusals(page)
    (tmp_path / "front.jpg").write_bytes(a_file())
    page.goto(f"/cases/{numbers[0]}/")
    page.get_by_label("What is it?").select_option("identity_front:national_id")
    page.locator("#file").set_input_files(tmp_path / "front.jpg")
    page.get_by_role("button", name="Add file").click()
    page.get_by_text("The file arrived.").wait_for()
    mark(page)
    page.locator("#check-identity_front").focus()
    expect(page.locator("#checks .st", has_text="Being checked")).to_have_count(1)
    expect(page.locator("#checks .st", has_text="To be judged")).to_have_count(0)

    idle_worker()
    expect(page.locator("#checks .st", has_text="To be judged")).to_have_count(1, timeout=180_000)
    expect(page.get_by_role("status").filter(has_text="All files are checked.")).to_be_visible()
    expect(page.locator("#checks[hx-trigger]")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "check-identity_front"
    assert stayed(page)
    assert not said


def test_the_history_shows_one_group_and_the_address_says_which(page, numbers):
    said = refusals(page)
    page.goto(f"/cases/{numbers[0]}/")
    mark(page)
    page.locator("#show-files").click()
    expect(page.locator("#show-files")).to_have_attribute("aria-current", "true")
    assert page.url.endswith("?show=files#timeline")
    assert stayed(page)
    page.go_back()
    expect(page.locator("#show-all")).to_have_attribute("aria-current", "true")
    assert not said


def test_the_list_narrows_while_one_types_and_back_undoes_it(page, numbers):
    said = refusals(page)
    page.goto("/cases/?view=all")
    mark(page)
    box = page.get_by_role("searchbox", name="Search in this list")
    box.press_sequentially(numbers[1])
    expect(page.locator(".list .key")).to_have_text([numbers[1]])
    expect(page.locator("#count")).to_have_text("1 open case")
    assert box.input_value() == numbers[1]
    assert f"q={numbers[1]}" in page.url
    assert stayed(page)
    box.fill("nobody of this name")
    box.press("Enter")
    page.get_by_text("0 results for").wait_for()
    page.go_back()
    expect(page.locator(".list .key")).to_have_text([numbers[1]])
    assert not said
