"""A browser for the tests: Debian's Chromium, driven by Playwright. Loaded as a pytest plugin by conftest.py."""

import os
import shutil

import pytest
from playwright.sync_api import expect

expect.set_options(timeout=180_000)  # milliseconds; a busy machine is no fault of the product
REQUIRED = os.environ.get("REQUIRE_BROWSER") == "1"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def browser_type_launch_args():
    """In place of pytest-playwright's own: its browsers are downloads, ours is the system's."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing = "No Chromium on this machine: apt-get install chromium."
        pytest.fail(missing) if REQUIRED else pytest.skip(missing)
    return {"executable_path": path, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args():
    return {"locale": "en-GB", "timezone_id": "Europe/London", "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def browser_page(stack, new_context):
    """A page in a fresh browser profile whose relative addresses lead to the stack."""
    page = new_context(base_url=stack.url).new_page()
    page.set_default_timeout(180_000)
    return page
