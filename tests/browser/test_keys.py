"""Keys of one's own: another key does the act, the old one does nothing, what is switched off stays so. No server."""

import pytest

from tests.browser.looking import NOWHERE, refusals, serve

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="en"><head><title>Keys</title>
<script type="module" src="/static/js/keys.js"></script></head>
<body data-keys="on" data-keymap="ny/ ?!"><h1>Keys</h1>
<button data-key="n">Next <kbd>n</kbd></button><button data-key="d">Decide</button>
<button data-key="/">Search <kbd>/</kbd></button><button data-key="?">Help <kbd>?</kbd></button>
<label>Words <input name="words"></label></body></html>"""


def test_keys_of_ones_own(page):
    said = refusals(page)
    page.goto(serve(page, PAGE))
    page.evaluate("window.pressed = []")
    page.locator("button").evaluate_all(
        "all => all.forEach(each => each.addEventListener('click', () => pressed.push(each.dataset.key)))"
    )
    for key in ("n", "y", "Y", "d", "/", "?", "!", "r"):
        page.keyboard.press(key)
    assert page.evaluate("window.pressed") == ["n", "n", "d", "?"]  # y, Y, d, !
    assert page.locator("kbd").all_inner_texts() == ["y", "–", "!"]
    page.locator("input").focus()
    page.keyboard.type("ny")
    assert page.input_value("input") == "ny" and len(page.evaluate("window.pressed")) == 4
    assert not said


SETTLED = "document.body.dispatchEvent(new CustomEvent('htmx:afterSettle', {bubbles: true, detail: {}}))"


def test_what_nobody_read_stands_in_the_title_of_the_tab(page):
    bell = '<a id="bell" href="/notices/"><span>12</span></a>'
    page.goto(serve(page, PAGE.replace("keys.js", "focus.js").replace("<h1>", bell + "<h1>")))
    page.wait_for_function("document.title === '(12) Keys'")
    page.evaluate(f"document.title = 'Another page'; {SETTLED}")
    page.wait_for_function("document.title === '(12) Another page'")
    page.evaluate(f"bell.innerHTML = ''; {SETTLED}")
    page.wait_for_function("document.title === 'Another page'")


def test_the_end_of_a_session_is_said_and_one_key_keeps_it(page):
    ways = '<p data-if-stay="1">Soon out</p><p data-if-stay="0">Over</p>'
    box = f'<p id="live"></p><div id="session-ends" hidden>{ways}</div>'
    for left, stay, shown in [(900, "data-stay", ""), (200, "data-stay", "Soon out"), (200, "", "Over")]:
        bell = f'{box}<a id="bell" href="/notices/" data-left="{left}" {stay}></a>'
        page.goto(serve(page, PAGE.replace("keys.js", "focus.js").replace("<h1>", bell + "<h1>")))
        page.evaluate("bell.addEventListener('stay', () => (window.stayed = true))")
        assert page.locator("#session-ends p:visible").all_inner_texts() == ([shown] if shown else [])
        assert page.locator("#live").inner_text().strip() == shown
        page.keyboard.press("a")
        assert bool(page.evaluate("window.stayed")) == (shown == "Soon out")


ROWS = "".join(
    f'<tr><td><a class="key" href="/cases/{n}/">{n}</a></td><td class="tall"><br><br><br><br></td></tr>'
    for n in range(40)
)
LIST = f"""<!doctype html><html lang="en"><head><title>List</title>
<script type="module" src="/static/js/keys.js"></script></head>
<body data-keys="on"><h1>List</h1><table class="list"><tbody>{ROWS}</tbody></table></body></html>"""


def test_going_back_finds_the_row_that_was_opened(page):
    page.goto(serve(page, LIST))
    page.route(f"{NOWHERE}/cases/**", lambda route: route.fulfill(body="<h1>A case</h1>", content_type="text/html"))
    page.get_by_role("link", name="30", exact=True).click()
    page.wait_for_url("**/cases/30/")
    page.go_back()
    page.wait_for_function("document.activeElement.textContent === '30'")
    assert page.locator("tr.here[aria-current]").all_inner_texts()[0].startswith("30")
    assert page.evaluate("scrollY") > 0
    page.reload()
    page.get_by_role("heading", name="List").wait_for()
    assert not page.locator("tr.here").count()
