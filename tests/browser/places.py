"""Every page of the product in a running demo: whose it is and how one gets there. What shots.py takes pictures of.

A place goes there by what stays the same in every language: addresses, names of fields, shapes of states. One that
this demo does not have raises NotThere. Some states come only from work: `prepare` does it once, on a demo made for it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

NOBODY, AGENT, OFFICER, AUDITOR = "", "agent", "officer", "auditor"
REPORTING, ADMIN = "mlro", "admin"
NEW, IN_REVIEW, WAITING, PROPOSED = "none", "half", "again", "pair"  # the shape of a case's state


class NotThere(Exception):
    """This demo has no such page."""


@dataclass(frozen=True)
class Place:
    role: str
    go: Callable[[Page], None]


def at(address: str) -> Callable[[Page], None]:
    """Go straight to an address."""
    return lambda page: _goto(page, address)


def _goto(page: Page, address: str | None) -> None:
    if not address:
        raise NotThere
    page.goto(address)


def _addresses(page: Page, links: str) -> list[str]:
    return page.locator(links).evaluate_all("all => all.map(link => link.getAttribute('href'))")


def _cases(page: Page, shape: str) -> list[str]:
    """Addresses of the open cases in a state."""
    page.goto("/cases/?view=all")
    return _addresses(page, f"tbody tr:has(.c-state use[href$='#g-{shape}']) .key")


def case_in(shape: str, holding: str = "main") -> Callable[[Page], None]:
    """The first case in this state whose page holds something."""

    def go(page: Page) -> None:
        for address in _cases(page, shape):
            page.goto(address)
            if page.locator(holding).count():
                return
        raise NotThere

    return go


def found(words: str) -> Callable[[Page], None]:
    """The case of a player, by the search: closed ones stand in no list."""

    def go(page: Page) -> None:
        page.goto(f"/search/?q={words}")
        _goto(page, next(iter(_addresses(page, ".list .key")), None))

    return go


def follow(before: Callable[[Page], None], link: str) -> Callable[[Page], None]:
    """A link on a place."""

    def go(page: Page) -> None:
        before(page)
        _goto(page, next(iter(_addresses(page, link)), None))

    return go


def then(before: Callable[[Page], None], *acts: Callable[[Page], object]) -> Callable[[Page], None]:
    """Something done on a place, that leaves nothing behind."""

    def go(page: Page) -> None:
        before(page)
        for act in acts:
            act(page)

    return go


def sent(button: str) -> Callable[[Page], object]:
    return lambda page: page.locator(button).first.click()


def filled(field: str, value: str) -> Callable[[Page], object]:
    return lambda page: page.locator(field).first.fill(value)


def chosen(*values: str) -> Callable[[Page], object]:
    """Check boxes and radio buttons by their values."""

    def act(page: Page) -> None:
        for value in values:
            page.locator(
                f"main input[value='{value}']:visible, main label:visible input[value='{value}']"
            ).first.check()
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")

    return act


def shown(page: Page) -> None:
    page.locator(".viewer img").first.evaluate("image => image.decode()")


def opened(menu: str) -> Callable[[Page], object]:
    return lambda page: page.locator(menu).first.click()


def _file(page: Page) -> None:
    """A file that waits for its verdict."""
    for shape in (IN_REVIEW, NEW):
        for address in _cases(page, shape):
            page.goto(address)
            waiting = _addresses(page, ".tasks li:has(use[href$='#g-half']) a[href*='/review/']")
            if waiting:
                return _goto(page, waiting[0])
    raise NotThere


def _number_with_a_typing_error(page: Page) -> None:
    page.goto("/cases/?view=all")
    number = page.locator(".list .key").first.inner_text().strip()
    page.goto(f"/search/?q={number[:-1]}{(int(number[-1]) + 1) % 10}")


def _log_of_a_case(page: Page) -> None:
    case_in(IN_REVIEW)(page)
    page.goto(f"/audit/?case={page.locator('.idbar h1').inner_text().strip()}")


def _changed_meanwhile(page: Page) -> None:
    """A verdict on a version that is not there any more."""
    _file(page)
    page.locator("input[name=version]").evaluate("field => { field.value = '9999'; }")
    chosen("accept")(page)
    page.locator("[data-submit]").click()


def _form_too_old(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("main [name=csrfmiddlewaretoken]").first.evaluate("field => { field.value = ''; }")
    page.locator("main form button").first.click()


def _unreadable(page: Page) -> None:
    """More fields than the server takes."""
    page.goto("/accounts/login/")
    page.locator("main form").first.evaluate(
        "form => { for (let n = 0; n < 1200; n++) form.append(Object.assign(document.createElement('input'), "
        "{type: 'hidden', name: `n${n}`, value: '1'})); form.submit(); }"
    )
    page.wait_for_load_state()


def _compose(page: Page) -> None:
    """Writing to the player of a case."""
    case_in(NEW)(page)
    page.goto(f"{page.url.partition('#')[0]}messages/")


_sign_in = at("/accounts/login/")
_decision = follow(case_in(IN_REVIEW, ".btn.primary[href*='/decide/']"), ".btn.primary[href*='/decide/']")
_approval = follow(at("/approvals/"), ".list .key")

PLACES: dict[str, Place] = {
    # the few of docs/screenshots
    "queue": Place(AGENT, at("/cases/?view=all")),
    "case": Place(AGENT, case_in(IN_REVIEW)),
    "review": Place(AGENT, then(_file, shown, chosen("ask_again", "image_glare"))),
    "approval": Place(OFFICER, _approval),
    "audit": Place(AUDITOR, _log_of_a_case),
    # before the sign-in
    "entrance": Place(NOBODY, _sign_in),
    "entrance_empty": Place(NOBODY, then(_sign_in, sent("main form button"))),
    "reset": Place(NOBODY, at("/accounts/password/reset/")),
    "reset_done": Place(NOBODY, at("/accounts/password/reset/done/")),
    "reset_old": Place(NOBODY, at("/accounts/password/reset/key/1-set-password/")),
    "signup": Place(NOBODY, at("/accounts/signup/")),
    # lists and search
    "queue_mine": Place(AGENT, at("/cases/?view=mine")),
    "queue_kind": Place(AGENT, at("/cases/?kind=verification&view=waiting")),
    "queue_filtered": Place(AGENT, at("/cases/?view=all&q=Toprak")),
    "queue_none": Place(AGENT, at("/cases/?view=all&q=nobody")),
    "queue_empty": Place(OFFICER, at("/cases/?view=mine")),
    "queue_reader": Place(AUDITOR, at("/cases/?view=all")),
    "queue_narrowed": Place(AGENT, then(at("/cases/?view=today"), opened("#narrow > summary"))),
    "queue_file": Place(OFFICER, at("/cases/file/?view=all")),
    "contact_start": Place(AGENT, at("/contacts/new/")),
    "contact_found": Place(AGENT, at("/contacts/new/?q=P-88250")),
    "contact_nobody": Place(AGENT, at("/contacts/new/?q=P-1")),
    "menu": Place(AGENT, then(at("/cases/?view=all"), opened(".me summary"))),
    "keys": Place(AGENT, then(at("/cases/?view=all"), lambda page: page.keyboard.press("?"))),
    "search": Place(AGENT, at("/search/")),
    "search_hit": Place(AGENT, at("/search/?q=Kurt")),
    "search_none": Place(AGENT, at("/search/?q=nobody")),
    "search_typo": Place(AGENT, _number_with_a_typing_error),
    # a verification
    "new": Place(AGENT, at("/cases/new/verification/")),
    "new_wrong": Place(AGENT, then(at("/cases/new/verification/"), sent("main form.stack button"))),
    "case_new": Place(AGENT, case_in(NEW, "#missing:not(:has(.go))")),
    "case_files": Place(AGENT, case_in(NEW, "#missing .go")),
    "case_waiting": Place(AGENT, case_in(WAITING)),
    "case_proposed": Place(AGENT, case_in(PROPOSED)),
    "case_approved": Place(AGENT, found("Kurt")),
    "case_refused": Place(AGENT, found("Hüseyin Ak")),
    "case_reader": Place(AUDITOR, case_in(IN_REVIEW)),
    "case_decision": Place(AGENT, then(case_in(IN_REVIEW), lambda page: page.goto(f"{page.url}#decision"))),
    "case_work": Place(AGENT, then(case_in(IN_REVIEW), lambda page: page.goto(f"{page.url}#work"))),
    "case_wrong": Place(AGENT, then(case_in(NEW), sent("#upload button:not([type=button])"))),
    "note_wrong": Place(
        AGENT, then(case_in(NEW), lambda page: page.goto(f"{page.url}#work"), sent(".composer button"))
    ),
    "review_new": Place(AGENT, then(_file, shown)),
    "review_refuse": Place(AGENT, then(_file, shown, chosen("reject"))),
    "review_wrong": Place(AGENT, then(_file, shown, chosen("ask_again"), sent("[data-submit]"))),
    "review_done": Place(
        AGENT, follow(case_in(WAITING), ".tasks li:not(:has(use[href$='#g-half'])) a[href*='/review/']")
    ),
    "ask": Place(AGENT, follow(case_in(IN_REVIEW, "a[href$='/ask/']"), "a[href$='/ask/']")),
    "ask_line": Place(
        AGENT, then(follow(case_in(IN_REVIEW, "a[href$='/ask/']"), "a[href$='/ask/']"), sent("main form button"))
    ),
    "print": Place(AGENT, follow(_file, "a[href$='/print/']")),
    "record": Place(AGENT, follow(found("Kurt"), "a[href$='/record/']")),
    "decide": Place(AGENT, _decision),
    "decide_wrong": Place(AGENT, then(_decision, sent("[data-submit]"))),
    "decide_early": Place(
        AGENT, then(case_in(NEW), lambda page: page.goto(f"{page.url.partition('#')[0]}decide/approve/"))
    ),
    # writing, mail, notices
    "write": Place(AGENT, _compose),
    "write_preview": Place(
        AGENT, then(_compose, filled("#message_line", "Belgenizi aldık. Yarın bakacağız."), sent(".composer .btn"))
    ),
    "write_wrong": Place(AGENT, then(_compose, filled("#message_line", "MASAK"), sent(".composer .btn"))),
    "misfiled": Place(AGENT, follow(_file, "a[href$='/move/']")),
    "mail": Place(AGENT, at("/mail/")),
    "mail_aside": Place(AGENT, at("/mail/?show=discarded")),
    "letter": Place(AGENT, follow(at("/mail/"), ".list .key")),
    "notices": Place(AGENT, at("/notices/")),
    "notice_settings": Place(AGENT, at("/notices/settings/")),
    # two persons
    "approvals": Place(OFFICER, at("/approvals/")),
    "approvals_none": Place(AUDITOR, at("/approvals/")),
    "approvals_mine": Place(AGENT, at("/approvals/")),
    "approval_mine": Place(AGENT, _approval),
    "approval_wrong": Place(OFFICER, then(_approval, sent("main form.part button"))),
    # oneself
    "profile": Place(AGENT, at("/profile/")),
    "password": Place(AGENT, at("/accounts/password/change/")),
    "password_wrong": Place(AGENT, then(at("/accounts/password/change/"), sent("main form button"))),
    "second_step": Place(AGENT, at("/accounts/2fa/")),
    "second_step_on": Place(AGENT, at("/accounts/2fa/totp/activate/")),
    "sign_out": Place(AGENT, at("/accounts/logout/")),
    # oversight
    "audit_all": Place(AUDITOR, at("/audit/")),
    "audit_none": Place(AUDITOR, at("/audit/?case=KYC-26-999999-9")),
    "audit_wrong": Place(AUDITOR, at("/audit/?since=yesterday")),
    "entry": Place(AUDITOR, follow(_log_of_a_case, ".list .key")),
    "export": Place(AUDITOR, at("/audit/export/")),
    "export_wrong": Place(AUDITOR, then(at("/audit/export/"), sent("main form button"))),
    # the rules
    "rules": Place(OFFICER, at("/rules/")),
    "rules_change": Place(OFFICER, follow(at("/rules/"), "a[href^='/rules/'][href$='/change/']")),
    "rules_wrong": Place(
        OFFICER,
        then(
            follow(at("/rules/"), "a[href^='/rules/'][href$='/change/']"),
            filled("[name='evidence.address.max_age_days']", "400"),
            filled("[name='verification.answer_days']", "0"),
            sent("main form button"),
        ),
    ),
    # what is refused or fails
    "aml": Place(REPORTING, at("/aml/")),
    "aml_approvals": Place(REPORTING, at("/aml/approvals/")),
    "aml_delays": Place(REPORTING, at("/aml/delays/")),
    "aml_new": Place(REPORTING, at("/aml/new/")),
    "aml_rules": Place(REPORTING, at("/aml/rules/")),
    "aml_rule": Place(REPORTING, follow(at("/aml/rules/"), "a[href^='/aml/rules/']:not([href$='/rules/'])")),
    "aml_case": Place(REPORTING, follow(at("/aml/"), "a[href^='/aml/investigations/']")),
    "aml_lead": Place(REPORTING, follow(at("/aml/"), "a[href^='/aml/leads/']")),
    "risk": Place(AGENT, follow(case_in(IN_REVIEW), "a[href$='/risk/']")),
    "same": Place(AGENT, follow(case_in(IN_REVIEW), "a[href$='/same/']")),
    "funds": Place(AGENT, follow(case_in(IN_REVIEW), "a[href$='/funds/']")),
    "limits": Place(AGENT, follow(case_in(IN_REVIEW), "a[href$='/limits/']")),
    "looking": Place(AUDITOR, at("/looking/who/")),
    "platform_api": Place(ADMIN, at("/platform/api/")),
    "platform_keys": Place(ADMIN, at("/platform/keys/")),
    "platform_keys_new": Place(ADMIN, at("/platform/keys/new/")),
    "webhooks": Place(ADMIN, at("/platform/webhooks/")),
    "staff": Place(ADMIN, at("/staff/")),
    "staff_review": Place(ADMIN, at("/staff/review/")),
    "view_as": Place(ADMIN, follow(follow(at("/staff/"), ".list .key"), "a[href$='/view-as/']")),
    "role": Place(ADMIN, at("/staff/roles/analyst/")),
    "e403": Place(AGENT, at("/audit/")),
    "e404": Place(AGENT, at("/nowhere/")),
    "e404_visitor": Place(NOBODY, at("/nowhere/")),
    "e403_csrf": Place(NOBODY, _form_too_old),
    "e400": Place(NOBODY, _unreadable),
    "e409": Place(AGENT, _changed_meanwhile),
}


def prepare(agent: Page, officer: Page, notes: Path) -> None:
    """Work until every state is there: one file asked for again, one proposal void, one open. `notes`: done already."""
    if not notes.exists():
        case_in(NEW, "#missing .go")(agent)
        agent.locator("form[action$='/start/'] button").first.click()
        _judge(agent, "ask_again", "image_glare")
        follow(case_in(NEW, "#missing:not(:has(.go))"), "a[href*='/decide/reject/']")(agent)
        agent.locator("[data-submit]").click()
        agent.wait_for_url(re.compile(r"/cases/[^/]+/$"))
        officer.goto(agent.url)
        address = _addresses(officer, "a[href^='/approvals/'][data-start]")[0]
        _hand_in(agent, agent.url)
        notes.write_text(json.dumps({"approval_void": address, "rules_set": _drafted(officer)}))
    for name, address in json.loads(notes.read_text()).items():
        PLACES[name] = Place(OFFICER, at(address))


def _drafted(page: Page) -> str:
    """A change of the rules that nobody decided yet."""
    follow(at("/rules/"), "a[href^='/rules/'][href$='/change/']")(page)
    page.locator("[name='verification.answer_days']").fill("7")
    page.locator("main form button.primary").click()
    page.wait_for_url("**/rules/sets/**")
    return page.url


def _judge(page: Page, *first: str) -> None:
    """Judge a file, and accept all that follow."""
    page.wait_for_url("**/review/**")
    given = first
    while "/review/" in page.url:
        here = page.url
        for value in given:
            choice = page.locator(f"input[value={value}]:visible, label:visible input[value={value}]").first
            choice.press("Space")  # a click would meet the bar that saves, where the window is low
        page.locator("[data-submit]").click()
        page.wait_for_url(lambda url, here=here: url != here)  # type: ignore[misc]
        given = ("accept",)


def _hand_in(page: Page, case: str) -> None:
    """One more file, and wait until it is inspected."""
    page.goto(case)
    page.locator("#upload select").select_option(index=1)
    file = {"name": "front.png", "mimeType": "image/png", "buffer": page.screenshot()}
    page.locator("#upload input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.locator("#upload button:not([type=button])").first.click()
    page.locator(".tasks use[href$='#g-half']").first.wait_for(timeout=180_000)
    page.locator("#checks:not([hx-trigger])").wait_for(timeout=180_000)
