"""Look at pages: pictures in every size, scheme and language, the accessibility check, pages without a server."""

import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles import finders

SHOTS = Path(settings.BASE_DIR) / ".test" / "shots"
SIZES = {"desk": (1366, 900), "laptop": (1024, 768), "phone": (390, 844)}
SCHEMES = ("light", "dark")
LANGUAGES = ("en", "tr", "ar")
NOWHERE = "http://mizan.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


def look_at(page, path, name, sizes=SIZES, schemes=SCHEMES, languages=("",), speak=None, check=True):
    """Visit `path` in each size, scheme and language, check it and keep a picture; the pictures' paths.

    A signed-in person has a language of their own, which `speak(page, language)` changes; a visitor's is the browser's:
    make its context with `locale=` and leave `languages` alone.
    """
    pictures = []
    for language in languages:
        if speak:
            speak(page, language)
        for size in sizes:
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            for scheme in schemes:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.goto(path)
                pictures.append(keep(page, "-".join(part for part in (name, size, scheme, language) if part)))
                if check:
                    no_violations(page)
                    no_sideways_scroll(page)
    return pictures


def keep(page, name, full=False):
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=path, full_page=full)
    return path


def no_violations(page, but=()):
    """axe finds nothing, of whatever weight. `but`: rule ids that a page may break, with the reason beside the call."""
    found = Axe().run(page).response["violations"]
    wrong = [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    "
        + "\n    ".join(node["html"][:200] for node in rule["nodes"][:4])
        for rule in found
        if rule["id"] not in but
    ]
    assert not wrong, f"{page.url} {page.viewport_size}\n" + "\n".join(wrong)


def no_sideways_scroll(page):
    """The page itself scrolls one way only; tables and the document viewer scroll inside themselves (WCAG 1.4.10)."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= seen, f"{page.url}: {wide} px of content in a window of {seen} px"


def refusals(page):
    """A list that fills with what the content security policy refuses and what scripts break on, from now on."""
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def serve(page, html, path="/", policy=POLICY):
    """Make `NOWHERE + path` answer with this page under our policy, and its static files from the source tree."""

    def answer(route):
        asked = urlsplit(route.request.url).path
        if asked == path:
            route.fulfill(
                body=html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy}
            )
        elif asked.startswith("/static/") and (file := finders.find(asked.removeprefix("/static/"))):
            route.fulfill(path=file, content_type=mimetypes.guess_type(file)[0] or "text/plain")
        else:
            route.fulfill(status=404, body="")

    page.route(f"{NOWHERE}/**", answer)
    return NOWHERE + path
