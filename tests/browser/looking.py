"""Look at pages: the accessibility check, overflow, refusals, pages without a server. Pictures: shots.py."""

import mimetypes
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders

SIZES = {"desk": (1366, 900), "laptop": (1024, 768), "phone": (390, 844)}
SCHEMES = ("light", "dark")
LANGUAGES = ("en", "tr", "ar")
NOWHERE = "http://mizan.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

# What reaches beyond the window, less what scrolls inside itself; by its tag and classes.
STICKING_OUT = """
() => [...document.querySelectorAll("body *")].filter(each => {
  const box = each.getBoundingClientRect();
  if (box.right <= innerWidth + 1 && box.left >= -1) return false;
  for (let up = each.parentElement; up; up = up.parentElement)
    if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return false;
  return true;
}).map(each => `${each.tagName.toLowerCase()}.${each.className} "${each.textContent.trim().slice(0, 30)}"`).slice(0, 6)
"""


def no_violations(page, but=()):
    """axe finds nothing, of whatever weight. `but`: rule ids that a page may break, with the reason beside the call.

    Targets of at least 24 px (WCAG 2.5.8) are asked for too; axe by itself does not.
    """
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found = Axe().run(page, options=options).response["violations"]
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
    assert wide <= seen, (
        f"{page.url}: {wide} px of content in a window of {seen} px, for: {'; '.join(page.evaluate(STICKING_OUT))}"
    )


def refusals(page):
    """A list that fills with what the content security policy refuses and what scripts break on, from now on."""
    said = []
    page.on(
        "console",
        lambda message: said.append(f"{message.text} {message.location['url']}") if message.type == "error" else None,
    )
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
