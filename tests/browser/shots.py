"""The pictures in docs/screenshots, taken from a running demo:

    .venv/bin/python -m tests.browser.shots http://127.0.0.1:8000 .data

The names are page, width, scheme and language; `--all` takes every combination instead of the few that are kept.
It signs in with DATA_DIR/demo.json, looks, and changes nothing but the language of the person, which it puts back.
"""

import argparse
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import ARGUMENTS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
HEIGHTS = {1366: 900, 390: 844}
KEPT = [
    "queue-1366-light-en",
    "case-1366-light-en",
    "review-1366-light-en",
    "approval-1366-light-en",
    "audit-1366-light-en",
    "case-1366-dark-tr",
    "queue-390-light-tr",
    "case-390-light-tr",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the demo runs")
    parser.add_argument("data_dir", type=Path, help="its data folder")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder for the pictures (default docs/screenshots)")
    parser.add_argument("--all", action="store_true", help="every page in each size, scheme and language")
    parser.add_argument("--only", default="", help="only pictures whose name holds this")
    options = parser.parse_args()
    everything = map("-".join, itertools.product(PAGES, ("1366", "390"), ("light", "dark"), ("en", "tr")))
    names = [name for name in (everything if options.all else KEPT) if options.only in name]
    sign_ins = json.loads((options.data_dir / "demo.json").read_text())["sign_ins"]
    options.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for (role, language, width), group in _by_person(names):
            given = next((each for each in sign_ins if each["role"] == role), None)
            with _signed_in(browser, options.url, given, language, touch=width == "390") as page:
                for name in group:
                    _take(page, name, options.to)
        browser.close()
    made = [options.to / f"{name}.png" for name in names]
    for path in made:
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{len(made)} pictures, {sum(path.stat().st_size for path in made) // 1024} kB, in {options.to}")


def _by_person(names: list[str]) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    """The pictures of each role, language and device together, so that each signs in once."""

    def person(name: str) -> tuple[str, str, str]:
        page, width, _scheme, language = name.split("-")
        return PAGES[page][0], language, width

    for key, group in itertools.groupby(sorted(names, key=person), person):
        yield key, list(group)


@contextmanager
def _signed_in(
    browser: Browser, url: str, given: dict[str, str] | None, language: str, *, touch: bool
) -> Iterator[Page]:
    """A page of this person in this language; without one, a visitor's."""
    place = {"locale": language, "timezone_id": "Europe/Istanbul"}
    context = browser.new_context(base_url=url, reduced_motion="reduce", has_touch=touch, is_mobile=touch, **place)
    page = context.new_page()
    if given is None:
        yield page
    else:
        page.goto("/accounts/login/")
        page.fill("input[name=login]", given["email"])
        page.fill("input[name=password]", given["password"])
        page.click("main form button >> nth=0")
        page.wait_for_url(re.compile(r"^(?!.*/accounts/login/)"))
        before = _speak(page, language)
        yield page
        _speak(page, before)
    context.close()


def _speak(page: Page, language: str) -> str:
    """Change the language of the person, and say which it was."""
    page.goto("/profile/")
    before = page.locator("select[name=language]").input_value()
    if language != before:
        page.select_option("select[name=language]", language)
        page.click("main form:has(select[name=language]) button")
    return before


def _take(page: Page, name: str, folder: Path) -> None:
    what, width, scheme, _language = name.split("-")
    page.set_viewport_size({"width": int(width), "height": HEIGHTS[int(width)]})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    PAGES[what][1](page)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder / f"{name}.png")


def _queue(page: Page) -> None:
    page.goto("/cases/?view=all")


def _case(page: Page) -> None:
    """The case of the queue that is under review and has most to show."""
    page.goto("/cases/?view=all")
    in_review = page.locator("tbody tr:has(.c-state .go) .key")
    page.goto((in_review if in_review.count() else page.locator(".list .key")).first.get_attribute("href") or "")


def _review(page: Page) -> None:
    """A file that waits for its verdict, with one chosen and not saved."""
    page.goto("/cases/?view=all")
    for address in page.locator(".list .key").evaluate_all("links => links.map(link => link.pathname)"):
        page.goto(address)
        waiting = page.locator(".tasks li:has(.go) a[href*='/review/']")
        if waiting.count():
            page.goto(waiting.first.get_attribute("href") or "")
            break
    page.locator(".viewer img").first.evaluate("image => image.decode()")
    page.locator("input[value=ask_again]").check()
    page.locator("input[value=image_glare]").check()
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def _approval(page: Page) -> None:
    page.goto("/approvals/")
    page.goto(page.locator(".list .key").first.get_attribute("href") or "")


def _audit(page: Page) -> None:
    """The log of that case."""
    _case(page)
    page.goto(f"/audit/?case={page.locator('.idbar h1').inner_text().strip()}")


def _sign_in(page: Page) -> None:
    page.goto("/accounts/login/")


# What is shown, to whom, and how to get there.
PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "queue": ("agent", _queue),
    "case": ("agent", _case),
    "review": ("agent", _review),
    "approval": ("officer", _approval),
    "audit": ("auditor", _audit),
    "entrance": ("", _sign_in),
}

if __name__ == "__main__":
    main()
