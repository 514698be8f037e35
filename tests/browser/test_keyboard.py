"""A working day without a mouse: from the queue to a proposal and on to the next case, by keys alone.

Nothing here clicks, focuses or fills through the test's own reach: only `page.keyboard`. After every step the focus is
somewhere, and one sees where.
"""

import re

import pytest

from audit import context
from documents.models import Document
from tests.browser.looking import refusals
from tests.journeys.people import eventually
from tests.papers import a_file, bring
from tests.world import PASSWORD, a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FOCUS = """() => {
    const it = document.activeElement;
    const seen = [it, it.closest("label")].filter(Boolean).some((element) => {
        const style = getComputedStyle(element);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const box = (it.closest("label") ?? it).getBoundingClientRect();
    const on = box.bottom > 0 && box.top < innerHeight && box.width > 0;
    return {tag: it.tagName, text: (it.innerText ?? it.value ?? "").trim(), ring: seen && on, name: it.name ?? ""};
}"""


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def numbers(world):
    """Two open verifications that need an identity and an address; the first one has both."""
    with context.use(context.new("test")):
        first, second = world.verification("L2"), world.verification("L2")
        for purpose, paper in [("identity_front", "passport"), ("address", "bank_statement")]:
            bring(first, purpose, paper, by=world.alice, data=a_file())
    eventually(lambda: Document.objects.filter(customer=first.customer, state="ready").count() == 2)
    return first.number, second.number


def focused(page):
    """What has the focus, which is something and is seen."""
    page.wait_for_load_state()
    found = page.evaluate(FOCUS)
    assert found["tag"] != "BODY", f"{page.url}: nothing has the focus"
    assert found["ring"], f"{page.url}: nobody sees that {found} has the focus"
    return found


def keys(page, *pressed):
    for key in pressed:
        page.keyboard.press(key)


def tab_to(page, name, at_most=30):
    for _press in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"{page.url}: Tab does not reach {name}")


def tab_to_text(page, text, at_most=60):
    for _press in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == text:
            return
    raise AssertionError(f"{page.url}: Tab does not reach {text}")


def sign_in_by_keys(page, user):
    page.goto("/accounts/login/")
    tab_to(page, "login")
    page.keyboard.type(user.email)
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    keys(page, "Enter")
    page.wait_for_url("**/cases/**")


def test_from_the_queue_to_a_proposal_and_on_to_the_next_case(stack, world, numbers, browser_page, new_context):
    page, (first, second) = browser_page, numbers
    said = refusals(page)
    sign_in_by_keys(page, world.alice)

    keys(page, "j")
    assert focused(page)["text"] == first
    keys(page, "j")
    assert focused(page)["text"] == second
    keys(page, "k")
    assert focused(page)["text"] == first
    keys(page, "Enter")
    page.wait_for_url(f"**/cases/{first}/")

    assert focused(page)["text"].startswith("Start review")
    keys(page, "Enter")
    page.wait_for_url(f"**/cases/{first}/review/**")
    for _file in range(2):
        here = page.url
        assert focused(page)["tag"] == "FIGURE"
        keys(page, "+", "r", "0", "1")
        assert focused(page)["name"] == "verdict"
        keys(page, "Enter")  # no single key decides
        assert page.locator("input[value=accept]").is_checked()
        keys(page, "Control+Enter")
        page.wait_for_url(lambda url, here=here: url != here)
    assert page.url.endswith(f"/cases/{first}/decide/approve/")  # the last verdict leads on to what it asks for
    assert focused(page)["name"] == "reason"
    keys(page, "Control+Enter")
    page.wait_for_url(f"**/cases/{first}/")
    assert page.locator(".idbar .badge").inner_text().strip() == "Waiting for approval"
    assert focused(page)["text"] == "Look at the proposal"

    keys(page, "g", "q")
    page.wait_for_url("**/cases/")
    focused(page)
    keys(page, "/")
    assert focused(page)["name"] == "q"
    page.keyboard.type(second)
    keys(page, "Enter")
    page.wait_for_url(f"**/cases/{second}/")
    focused(page)
    assert not said
    bob = new_context(base_url=stack.url).new_page()
    the_second_person_confirms(bob, world.bob, first)


def the_second_person_confirms(page, user, number):
    """From the approvals to the decision, by keys too."""
    sign_in_by_keys(page, user)
    keys(page, "g", "a")
    page.wait_for_url("**/approvals/")
    keys(page, "j")
    assert number in page.evaluate("document.activeElement.closest('tr').innerText")
    keys(page, "Enter")
    page.wait_for_url(lambda url: re.search(r"/approvals/[0-9a-f-]{36}/$", url))
    tab_to_text(page, "Confirm")
    focused(page)
    keys(page, "Enter")
    page.wait_for_url(lambda url: not re.search(r"/approvals/[0-9a-f-]{36}/$", url))
    page.goto(f"/cases/{number}/")
    assert page.locator(".idbar .badge").inner_text().strip() == "Approved"


def test_what_is_wrong_takes_the_focus_and_leads_to_its_place(stack, world, numbers, browser_page):
    page, (first, _second) = browser_page, numbers
    sign_in_by_keys(page, world.alice)
    keys(page, "j", "Enter")
    page.wait_for_url(f"**/cases/{first}/")
    keys(page, "Enter")
    page.wait_for_url("**/review/**")
    keys(page, "2", "Control+Enter")
    page.get_by_role("alert").wait_for()
    assert "Choose at least one reason" in page.evaluate("document.activeElement.innerText")
    keys(page, "Tab", "Enter")
    assert focused(page)["name"] == "reasons"
    keys(page, "Space")
    assert page.locator(".letter-line:visible").count() == 1
    keys(page, "Control+Enter")
    page.get_by_text("Verdict saved.").wait_for()
    focused(page)
