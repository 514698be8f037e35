"""A walk through the addresses of the product in a browser: each page once, and what is wrong with it."""

from urllib.parse import urlsplit

from compliance.people.models import User
from tests.browser.looking import SIZES, no_sideways_scroll, no_violations, refusals

# (size, theme): between them, every page in every language, both sizes and both themes.
LOOKS = {"en": ("desk", "light"), "ar": ("phone", "dark"), "tr": ("phone", "light")}


class Absent(dict):
    """Values of addresses; what has none leads to nothing that is there."""

    def __missing__(self, name):
        return {"str": "none"}.get(name, "00000000-0000-0000-0000-000000000001" if name.endswith("_id") else "1")


# What one can do on a page: seen now, or behind a summary, a menu or the tab that shows its part. By where it leads.
ACTS = """() => {
  const tabs = [...document.querySelectorAll(".tabs a[href^='#']")].map((link) => link.hash.slice(1));
  const behind = (it) => it.closest("details:not([open]), [popover]") || tabs.some((id) => it.closest(`#${id}`));
  return [...document.querySelectorAll("main :is(a[href], button, input:not([type=hidden]), select, textarea)")]
    .filter((it) => it.checkVisibility() || behind(it))
    .map((it) => it.getAttribute("href") ?? `${it.form?.getAttribute("action")} ${it.name || it.textContent.trim()}`);
}"""


def walk(page, asked, language="en"):
    """Visit each page once, in the look of the language; where the addresses led. What is wrong is said at the end."""
    wrong, said, seen = [], refusals(page), []
    for address in asked:
        place = page_at(page, address)
        if place in (None, *seen):
            continue
        seen.append(place)
        page.goto(place)
        wrong += problems(page, language)
        if not page.title().endswith("– Mizan") or page.locator("h1").count() != 1:
            wrong.append(f"{page.url}: title {page.title()!r}, {page.locator('h1').count()} first headings")
    # A page that is not there answers 404, and the browser says so: nothing else may be said.
    wrong += [text for text in said if "404" not in text]
    assert not wrong, "\n".join(wrong)
    return seen


def page_at(page, address):
    """Where a GET finds a page for this person, after redirects; None for a file, a picture or a refusal."""
    answer = page.request.get(address)
    refused = answer.status in (403, 405) or (answer.status == 404 and "999999" not in address)
    if refused or not answer.headers.get("content-type", "").startswith("text/html"):
        return None
    found = urlsplit(answer.url)
    return f"{found.path}?{found.query}" if found.query and "next=" not in found.query else found.path


def problems(page, language):
    """What is wrong with the page as it stands, in the look of its language and at 320 px, which is 1280 at 400 %."""
    wrong = []

    def ask(check, **how):
        try:
            check(page, **how)
        except AssertionError as broken:
            wrong.append(str(broken))

    size, theme = LOOKS[language]
    sized(page, *SIZES[size])
    page.emulate_media(reduced_motion="reduce", color_scheme=theme)
    ask(no_violations)
    ask(no_sideways_scroll)
    if language == "en":
        ask(the_same_acts)
    sized(page, 320, 700)
    ask(no_sideways_scroll)
    return wrong


def the_same_acts(page):
    """A phone's page offers whatever the wide one does."""
    sized(page, 1440, 900)
    wide = set(page.evaluate(ACTS))
    sized(page, 390, 844)
    lost = wide - set(page.evaluate(ACTS))
    assert not lost, f"{page.url}: what one can do at 1440 px and not at 390 px: {sorted(lost)}"


def sized(page, width, height):
    page.set_viewport_size({"width": width, "height": height})


def speaking(user, language):
    User.objects.filter(pk=user.pk).update(language=language)
    return user
