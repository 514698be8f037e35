"""The look in a real browser: accessible, calm in every size, scheme and direction, and complete without script.

The components stand on a page of the tests (parts.html) that is served without a server, under the product's policy.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.looking import LANGUAGES, SCHEMES, SIZES, no_sideways_scroll, no_violations, refusals, serve
from tests.browser.parts import page_from, page_of_parts
from tests.whole import times

pytestmark = pytest.mark.browser

# 40 % longer, but for numbers and names, and with letters that show whether a line is tall enough.
LONGER = """
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walk.nextNode(); node; node = walk.nextNode()) {
  const more = Math.ceil((node.data.trim().length * 0.4) / 3);
  if (!node.parentElement.closest("bdi, time, kbd")) node.data += "Ğåy".repeat(more);
}
"""


@pytest.fixture
def page(new_context):
    """A page of a fresh browser profile."""
    page = new_context().new_page()
    page.set_default_timeout(180_000)
    return page


@pytest.fixture
def parts(page):
    page.goto(serve(page, page_of_parts("en")))
    return page


def sized(page, size):
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})


def press(page, event):
    """A key as a keyboard of another layout sends it."""
    page.evaluate(
        "it => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...it, bubbles: true}))", event
    )


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


EVERYWHERE = [
    pytest.param(
        language, size, marks=[] if (language, size) in {("en", "desk"), ("ar", "phone")} else pytest.mark.slow
    )
    for language in LANGUAGES
    for size in SIZES
]
TOGETHER = [("en", "desk"), ("ar", "phone"), ("tr", "laptop")]  # in CI: each language, each size


@pytest.mark.parametrize(("language", "size"), times(EVERYWHERE, TOGETHER))
def test_no_component_breaks_an_accessibility_rule(page, language, size):
    page.goto(serve(page, page_of_parts(language)))
    sized(page, size)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        no_violations(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", times([320, 390, 700, 1000, 1240, 1366], [320, 1000]))
def test_the_page_scrolls_one_way_only(page, language, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(serve(page, page_of_parts(language)))
    no_sideways_scroll(page)


@pytest.mark.parametrize("width", [390, 1366])
def test_words_may_grow_by_forty_per_cent(parts, width):
    parts.set_viewport_size({"width": width, "height": 800})
    parts.evaluate(LONGER)
    no_sideways_scroll(parts)


def test_the_policy_refuses_nothing_that_the_frame_needs(page):
    said = refusals(page)
    page.goto(serve(page, page_of_parts("en")))
    assert said == []
    assert page.evaluate("[htmx.config.allowEval, htmx.config.allowScriptTags, htmx.config.historyCacheSize]") == [
        False,
        False,
        0,
    ]
    assert page.evaluate("getComputedStyle(document.querySelector('.st svg')).inlineSize") == "14px"


def test_an_arabic_page_runs_right_to_left_and_its_numbers_do_not(page):
    page.goto(serve(page, page_of_parts("ar")))
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    rail, main = (page.locator(place).bounding_box() for place in (".rail", "main"))
    assert rail["x"] > main["x"]
    assert page.locator("bdi", has_text="+90").evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_the_theme_of_the_person_wins_over_the_device(page):
    page.emulate_media(color_scheme="light")
    page.goto(serve(page, page_of_parts("en").replace('dir="ltr"', 'dir="ltr" data-theme="dark"', 1)))
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.parametrize("width", [390, 1100])
def test_on_a_narrow_window_the_case_shows_one_part_at_a_time(parts, width):
    parts.set_viewport_size({"width": width, "height": 844})
    assert parts.locator(".panels > :visible").evaluate_all("all => all.map(e => e.id)") == ["facts"]
    parts.get_by_role("link", name="Decision", exact=True).click()
    assert parts.locator(".panels > :visible").evaluate_all("all => all.map(e => e.id)") == ["decision"]
    expect(parts.locator(".jump [aria-current]")).to_have_text("Decision")


def test_on_a_wide_window_the_case_shows_all_its_parts(parts):
    sized(parts, "desk")
    assert parts.locator(".panels > :visible").count() == 3
    assert not parts.locator(".tabs.jump").is_visible()


def test_a_phone_shows_at_least_five_rows_of_a_list(parts):
    sized(parts, "phone")
    heights = parts.locator(".list.flow tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert sum(heights) < 844 - 180, heights


def test_the_menu_opens_on_a_phone_without_script_and_closes_with_escape(new_context):
    page = new_context(java_script_enabled=False).new_page()
    sized(page, "phone")
    page.goto(serve(page, page_of_parts("en")))
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="My work").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="My work").is_visible()


def test_the_sticky_bars_cover_no_focused_element(parts):
    sized(parts, "desk")
    parts.evaluate("scrollTo(0, 0)")
    for _ in range(40):
        parts.keyboard.press("Tab")
        hidden = parts.evaluate(
            """() => {
              const it = document.activeElement, box = it.getBoundingClientRect();
              if (it === document.body || it.closest(".topbar, .idbar, .skip") || !box.width) return null;
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return top && top.closest(".topbar, .idbar") ? it.outerHTML : null;
            }"""
        )
        assert hidden is None


# -------------------------------------------------------------------------------------------------------- keys
def test_j_and_k_move_through_the_rows(parts):
    parts.locator("main").focus()
    parts.keyboard.press("j")
    assert focused(parts) == "KYC-26-004801-7"
    parts.keyboard.press("k")
    assert focused(parts) == "KYC-26-004813-9"


def test_a_slash_goes_to_the_search_and_escape_leaves_it(parts):
    parts.locator("main").focus()
    parts.keyboard.press("/")
    assert parts.evaluate("document.activeElement.name") == "q"
    parts.keyboard.press("Escape")
    assert parts.evaluate("document.activeElement.name") is None


def test_keys_are_only_letters_in_a_field(parts):
    field = parts.get_by_role("searchbox")
    field.click()
    parts.keyboard.type("jx?")
    assert field.input_value() == "jx?"


def test_a_question_mark_shows_the_keys(parts):
    parts.locator("main").focus()
    parts.keyboard.press("?")
    assert parts.get_by_role("dialog", name="Keyboard keys").is_visible()
    no_violations(parts)


def test_keys_can_be_switched_off(page):
    page.goto(serve(page, page_of_parts("en").replace('data-keys="on"', 'data-keys="off"')))
    page.locator("main").focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(
    ("event", "does"),
    [
        ({"key": "/", "code": "Digit7", "shiftKey": True}, True),  # Turkish Q
        ({"key": "/", "ctrlKey": True, "altKey": True}, False),  # AltGr
        ({"key": "/", "isComposing": True}, False),
    ],
)
def test_a_key_is_what_the_keyboard_writes(parts, event, does):
    parts.locator("main").focus()
    parts.evaluate(
        "it => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...it, bubbles: true}))", event
    )
    assert (parts.evaluate("document.activeElement.name") == "q") is does


@pytest.mark.parametrize(("key", "code"), [("о", "KeyJ"), ("ت", "KeyJ")])
def test_letters_of_another_script_fall_back_to_their_place(parts, key, code):
    parts.locator("main").focus()
    press(parts, {"key": key, "code": code})
    assert focused(parts) == "KYC-26-004801-7"


# ------------------------------------------------------------------------------------------------------- focus
SWAPPING = """{% extends "base.html" %}{% block content %}
<div id="place"><button hx-get="/part/" hx-target="#place">Load</button></div>
<button hx-get="/broken/" hx-target="#place">Fail</button>{% endblock %}"""


@pytest.fixture
def swapping(page):
    page.goto(serve(page, page_from(SWAPPING)))
    page.route("**/part/", lambda route: route.fulfill(body="<h2>Arrived</h2>", content_type="text/html"))
    page.route("**/broken/", lambda route: route.fulfill(status=500, body="<h1>A whole page</h1>"))
    return page


def test_after_a_swap_the_focus_is_on_the_heading_of_what_came(swapping):
    swapping.get_by_role("button", name="Load").press("Enter")
    swapping.get_by_role("heading", name="Arrived").wait_for()
    expect(swapping.locator(":focus")).to_have_text("Arrived")


def test_a_part_that_could_not_load_is_said_in_the_live_region(swapping):
    swapping.get_by_role("button", name="Fail").click()
    expect(swapping.locator("#live")).to_contain_text("Could not load")


# ------------------------------------------------------------------------------------------------------ viewer
VIEWER = """{% extends "base.html" %}{% block frame_class %}wide{% endblock %}
{% block scripts %}<script type="module" src="{% static 'js/viewer.js' %}"></script>{% endblock %}
{% block content %}{% include "components/_idbar.html" with number="KYC-26-004813-9" state="in_review" %}
<div class="review">
<nav class="thumbs" aria-label="Files"><a href="/" aria-current="true"><b>Identity</b>{% state "pending" %}</a></nav>
{% include "components/_viewer.html" with src="/static/icons.svg" alt="Identity card" captions=captions %}
<form class="judge" aria-label="Verdict"><h2>Identity, front</h2></form></div>{% endblock %}"""


@pytest.fixture
def viewer(page):
    sized(page, "desk")
    page.goto(serve(page, page_from(VIEWER, captions=["JPG", "2.1 MB"])))
    page.locator(".viewer .tools").wait_for()
    return page


def shown(page):
    return page.locator(".viewer img").evaluate("e => ['--zoom', '--turn'].map(name => e.style.getPropertyValue(name))")


def test_the_viewer_zooms_rotates_and_fits_by_keys(viewer):
    viewer.locator("main").focus()
    viewer.keyboard.press("+")
    viewer.keyboard.press("r")
    assert shown(viewer) == ["1.5", "90deg"]
    assert viewer.locator("[data-zoom]").inner_text() == "150%"
    viewer.keyboard.press("0")
    assert shown(viewer) == ["1", "0deg"]
    viewer.keyboard.press("-")
    assert shown(viewer) == ["0.75", "0deg"]


def test_the_viewer_has_a_button_for_everything_and_moves_by_arrows_and_drag(viewer):
    for _ in range(3):
        viewer.get_by_role("button", name="Larger").click()
    figure = viewer.locator(".viewer figure")
    figure.focus()
    viewer.keyboard.press("ArrowRight")
    assert viewer.locator(".viewer img").evaluate("e => e.style.getPropertyValue('--pan-x')") == "-48px"
    box = figure.bounding_box()
    viewer.mouse.move(box["x"] + 100, box["y"] + 100)
    viewer.mouse.down()
    viewer.mouse.move(box["x"] + 160, box["y"] + 100)
    viewer.mouse.up()
    assert viewer.locator(".viewer img").evaluate("e => e.style.getPropertyValue('--pan-x')") == "12px"


CLOSER = """{% extends "base.html" %}{% block frame_class %}wide{% endblock %}
{% block scripts %}<script type="module" src="{% static 'js/viewer.js' %}"></script>
<script type="module" src="{% static 'js/closer.js' %}"></script>{% endblock %}
{% block content %}<h1>Review</h1><div class="review two">{% include "components/_viewer.html" with name="New" %}
<div class="beside"><button class="btn" data-together aria-pressed="false" hidden>Zoom together</button>
{% include "components/_viewer.html" with name="Old" %}</div></div>{% endblock %}"""


@pytest.fixture
def two(page):
    sized(page, "desk")
    pages = [{"src": "/static/icons.svg", "full": "/static/icons.svg?look=full", "alt": "Identity card"}]
    page.goto(serve(page, page_from(CLOSER, pages=pages)))
    page.locator(".viewer .tools").first.wait_for()
    return page


def zooms(page):
    return [
        [one.evaluate(f"e => e.style.getPropertyValue('{name}')") for name in ("--zoom", "--turn")]
        for one in page.locator(".viewer img").all()
    ]


def test_two_files_zoom_and_turn_together_once_they_are_linked(two):
    first = two.locator("[data-viewer]").first
    first.get_by_role("button", name="Larger").click()
    assert zooms(two) == [["1.5", "0deg"], ["1", "0deg"]]
    link = two.get_by_role("button", name="Zoom together")
    link.click()
    assert link.get_attribute("aria-pressed") == "true"
    assert zooms(two) == [["1.5", "0deg"]] * 2
    two.locator("[data-viewer]").last.get_by_role("button", name="Rotate").click()
    first.get_by_role("button", name="Larger").click()
    assert zooms(two) == [["2", "90deg"]] * 2
    link.click()
    first.get_by_role("button", name="Fit").click()
    assert zooms(two) == [["1", "0deg"], ["2", "90deg"]]
    no_violations(two)


def test_more_pixels_are_asked_for_only_by_who_looks_closer(two):
    sources = two.locator(".viewer img").evaluate_all("all => all.map(image => image.getAttribute('src'))")
    assert sources == ["/static/icons.svg"] * 2
    two.locator("[data-viewer]").first.get_by_role("button", name="Larger").click()
    sources = two.locator(".viewer img").evaluate_all("all => all.map(image => image.getAttribute('src'))")
    assert sources == ["/static/icons.svg?look=full", "/static/icons.svg"]


def test_paper_gets_no_picture_from_the_page_for_looking(viewer):
    assert viewer.locator(".viewer img").is_visible() and not viewer.locator(".on-paper").is_visible()
    viewer.emulate_media(media="print")
    assert not viewer.locator(".viewer img").is_visible() and viewer.locator(".on-paper").is_visible()


def test_the_document_gets_the_window_below_two_slim_bars(viewer):
    assert viewer.locator(".review").bounding_box()["y"] <= 96
    no_sideways_scroll(viewer)
    no_violations(viewer)
