"""The pictures in docs/screenshots, taken from a running demo:

    .venv/bin/python -m tests.browser.shots http://127.0.0.1:8000 .data

and, with `--all --to FOLDER`, every page (places.py) on a desk and on a phone, light and dark, in each language, to be
looked at. That works on the demo a little, to reach every state: give it one of its own. Arabic, which a demo does not
offer, is shown as its mirror: English words from right to left. `--only` takes a regular expression on names such as
case-390-dark-tr; `--sheet` also lays the pictures of each page out on one.

It signs in with DATA_DIR/demo.json and puts the language of each person back.
"""

import argparse
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from tests.browser import (
    alone,  # noqa: F401 - its import sets Django up for the next two
    places,
)
from tests.browser.looking import serve
from tests.browser.parts import page_from
from tests.browser.places import PLACES, NotThere
from tests.chromium import ARGUMENTS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
WIDTHS, SCHEMES, LANGUAGES = ("1366", "390"), ("light", "dark"), ("en", "tr", "ar")
HEIGHTS = {"1366": 768, "390": 844}
KEPT_HEIGHTS = {"1366": 900, "390": 844}
MIRROR = "addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, {dir: 'rtl', lang: 'ar'}))"
# The pages in English, and each size, scheme and direction of the two that people live in.
KEPT = [
    *(f"{page}-1366-light-en" for page in ("queue", "case", "review", "approval", "audit")),
    *("-".join(each) for each in itertools.product(("queue", "case"), ("1366-light-tr", "1366-dark-ar"))),
    *("-".join(each) for each in itertools.product(("queue", "case"), ("390-dark-tr", "390-light-ar"))),
]
# Pages that no visit brings about: rendered by themselves, without a server.
STANDING = ("410", "422", "429", "500", "503")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the demo runs")
    parser.add_argument("data_dir", type=Path, help="its data folder")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder for the pictures (default docs/screenshots)")
    parser.add_argument("--all", action="store_true", help="every page in each size, scheme and language")
    parser.add_argument("--only", default="", help="only pictures whose name fits this regular expression")
    parser.add_argument("--sheet", action="store_true", help="also one sheet with all pictures of each page")
    options = parser.parse_args()
    if options.all and options.to == FOLDER:
        parser.error("--all needs --to: hundreds of pictures do not belong into docs")
    options.to.mkdir(parents=True, exist_ok=True)
    people = {given["role"]: given for given in json.loads((options.data_dir / "demo.json").read_text())["sign_ins"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        studio = Studio(browser, options.url, people, options.to, whole=options.all)
        if options.all:
            with studio.seat(places.AGENT, "en") as agent, studio.seat(places.OFFICER, "en") as officer:
                places.prepare(agent, officer, options.data_dir / "pictures.json")
        everything = map("-".join, itertools.product((*PLACES, *STANDING), WIDTHS, SCHEMES, LANGUAGES))
        names = [name for name in (everything if options.all else KEPT) if re.search(options.only, name)]
        made = studio.take(names)
        browser.close()
    for path in made:
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=not options.all)
    if options.sheet:
        lay_out(made, options.to)
    print(f"{len(made)} pictures, {sum(path.stat().st_size for path in made) // 1024} kB, in {options.to}")


@dataclass
class Studio:
    """Signs people in and takes pictures; `whole`: as far down as the page goes, else what the window shows."""

    browser: Browser
    url: str
    people: dict[str, dict[str, str]]
    folder: Path
    whole: bool

    def take(self, names: list[str]) -> list[Path]:
        """Each role signs in once for each language and device, each page is visited once for all schemes."""

        def seat(name: str) -> tuple[str, str, str]:
            what, width, _scheme, language = name.split("-")
            return PLACES[what].role if what in PLACES else places.NOBODY, language, width

        made = []
        for (role, language, width), group in itertools.groupby(sorted(names, key=seat), seat):
            with self.seat(role, language, touch=width == "390") as page:
                height = HEIGHTS[width] if self.whole else KEPT_HEIGHTS[width]
                page.set_viewport_size({"width": int(width), "height": height})
                for what, pictures in itertools.groupby(sorted(group), lambda name: name.split("-")[0]):
                    made += self._visit(page, what, language, list(pictures))
        return sorted(made)

    def _visit(self, page: Page, what: str, language: str, names: list[str]) -> list[Path]:
        try:
            if what in PLACES:
                PLACES[what].go(page)
            else:
                show_standing(page, what, language)
        except (NotThere, TimeoutError) as missing:
            print(f"{names[0]}: not in this demo. {type(missing).__name__}")
            return []
        page.wait_for_load_state("networkidle")
        with self._stretched(page) if self.whole else nullcontext():
            return self._pictures(page, names)

    def _pictures(self, page: Page, names: list[str]) -> list[Path]:
        made = []
        for name in names:
            page.emulate_media(color_scheme="dark" if "-dark-" in name else "light")
            made.append(self.folder / f"{name}.png")
            page.screenshot(path=made[-1])
        return made

    @contextmanager
    def _stretched(self, page: Page) -> Iterator[None]:
        """A window as high as its page. Playwright's `full_page` would turn a phone into a desk with a mouse."""
        size = page.viewport_size or {"width": 0, "height": 0}
        page.set_viewport_size(size | {"height": page.evaluate("document.documentElement.scrollHeight")})
        yield
        page.set_viewport_size(size)

    @contextmanager
    def seat(self, role: str, language: str, *, touch: bool = False) -> Iterator[Page]:
        """A page of this person in this language; without one, a visitor's."""
        place = {"locale": language, "timezone_id": "Europe/Istanbul"}
        context = self.browser.new_context(
            base_url=self.url, reduced_motion="reduce", has_touch=touch, is_mobile=touch, **place
        )
        context.set_default_timeout(15_000)
        if language == "ar":
            context.add_init_script(MIRROR)
        page = context.new_page()
        if role == places.NOBODY:
            yield page
        else:
            page.goto("/accounts/login/")
            page.fill("input[name=login]", self.people[role]["email"])
            page.fill("input[name=password]", self.people[role]["password"])
            page.click("main form button >> nth=0")
            page.wait_for_url(re.compile(r"^(?!.*/accounts/login/)"))
            before = _speak(page, "en" if language == "ar" else language)
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


def show_standing(page: Page, what: str, language: str) -> None:
    """A page that stands by itself, from its template."""
    reasons = ["Not accepted yet: address", "No proposal: the case is closed"]
    page.goto(
        serve(page, page_from(f'{{% extends "{what}.html" %}}', language, reasons=reasons, request_id="0a1b2c3d"))
    )


def lay_out(made: list[Path], folder: Path) -> None:
    """The pictures of each page side by side on sheet-PAGE.png, half as large."""
    for what, group in itertools.groupby(made, lambda path: path.stem.split("-")[0]):
        pictures = [Image.open(path).convert("RGB") for path in group]
        pictures = [each.resize((each.width // 2, each.height // 2), Image.Resampling.LANCZOS) for each in pictures]
        sheet = Image.new("RGB", (sum(each.width + 8 for each in pictures), max(each.height for each in pictures)))
        place = 0
        for each in pictures:
            sheet.paste(each, (place, 0))
            place += each.width + 8
        sheet.save(folder / f"sheet-{what}.png")


if __name__ == "__main__":
    main()
