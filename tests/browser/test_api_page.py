"""Trying the API out on its page: the request leaves with the key of a test licensee, and the answer is shown."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from audit import context
from compliance.platform.services import issue_key
from tests.browser.looking import refusals
from tests.journeys.people import sign_in
from tests.world import a_test_licensee, a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def key(world):
    """Of a test licensee, for customers only."""
    licensee = a_test_licensee()
    with context.use(context.new("test")):
        given = {"owner": world.bob, "created_by": world.bob, "by": world.bob}
        until = timezone.now() + timedelta(hours=1)
        _row, token = issue_key(name="t", licensee=licensee, scopes=["customers:write"], expires_at=until, **given)
    return token


def test_a_request_is_sent_and_its_answer_shown(stack, world, key, new_context):
    page = sign_in(stack, new_context, world.alice)
    said = refusals(page)
    page.goto("/platform/api/")

    def send(path, method="GET"):
        page.locator(f"details:has(form[data-method={method}][data-path='{path}'])").evaluate("one => one.open = true")
        form = page.locator(f"form[data-method={method}][data-path='{path}']")
        form.get_by_role("button", name="Send").click()
        return form.locator("output code")

    expect(send("/api/v1/ping")).to_contain_text("begins with mzt_")
    page.get_by_label("Key of a test licensee").fill(key.replace("mzt_", "mzn_"))
    expect(send("/api/v1/ping")).to_contain_text("begins with mzt_")
    page.get_by_label("Key of a test licensee").fill(key)
    shown = send("/api/v1/ping")
    expect(shown).to_contain_text("200")
    assert json.loads(shown.inner_text().split("\n\n", 1)[1])["scopes"] == ["customers:write", "ping"]
    expect(send("/api/v1/customers", "POST")).to_contain_text("201")
    expect(send("/api/v1/transactions", "POST")).to_contain_text("403")
    assert [text for text in said if "403" not in text] == []
