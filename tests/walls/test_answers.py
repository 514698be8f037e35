"""What everybody meets at every address, held against the file that somebody reviewed.

All roles by hand, with MIZAN_PART=1 (tests/whole.py) some of them. After a new page or another right:

WRITE_MATRIX=1 python3 dev.py test tests/walls/test_answers.py tests/walls/test_matrix.py -q -m ""
git diff tests/walls docs/reference/asvs.md
"""

import json
import os
from collections import Counter
from types import SimpleNamespace

import pytest

from audit.access import Rule, rule_of
from compliance.people.roles import AML_ROLES
from tests import once
from tests.walls import answers, matrix, seeded
from tests.walls.answers import said
from tests.walls.matrix import PEOPLE
from tests.walls.test_read_only import THEIRS
from tests.whole import PART, times
from tests.world import a_world

SOME = ("anonymous", "disabled", "expired", "no_role", "agent", "officer", "mlro", "admin", "stranger")
ASKED = SOME if PART else answers.STAFF
SENT = ("expired", "agent", "officer", "stranger") if PART else answers.STAFF
NOW = (*ASKED, *answers.KEYS)  # whose cells the product was asked for; the others stand as they were reviewed
WRITE = os.environ.get("WRITE_MATRIX") == "1"
# Where nobody of this world gets in, and where somebody is shown to.
ELSEWHERE = {
    "security_txt": "it is set by who runs the product: tests/walls/test_headers.py",
    "api-root": "closed",
    "read_transactions": "asked for by their numbers: tests/monitoring/test_transactions_door.py",
    "scim-": "for a directory with a token of its own: tests/people/test_scim.py",
    "my-": "for a player with a link of the platform: tests/limits/test_pages.py, tests/gaming/test_portal.py",
    "/audit/<": "entries of this world have no place in the log yet: tests/audit/test_pages.py",
    "/api/v1/log/": "the same: tests/platform/test_log_api.py",
    "export_request": "the same: tests/audit/test_large_exports.py",
    "take-original": "a signed address, for a minute: tests/walls/test_objects.py",
    "picture": "the same",
    "gaming-duplicate": "two players who resemble each other: tests/verification/test_same_person.py",
    "monitoring-snooze": "a flag: tests/monitoring/test_counting.py",
    "aml-lift": "a freeze: tests/monitoring/test_freezes.py",
    "/aml/approvals/<": "a proposal of that side: tests/monitoring/test_freezes.py",
}
# What belongs to the house and not to a licensee.
OF_THE_HOUSE = {"role": "what each role may", "licensee": "rules", "set": "rules", "change": "rules"}
OF_THE_HOUSE |= {"read_brand": "each licensee of this world has a brand of the same name: tests/platform/test_keys.py"}


PUBLIC = {"set_language", "csp_report", "openapi-json"}
SAYS_WHAT_IT_TAKES = {("begin-upload", "OPTIONS")}  # as the protocol for files in pieces wants it


@pytest.fixture(scope="module")
def found(django_db_setup, django_db_blocker, tmp_path_factory):
    """One world, asked once; nothing is kept."""
    with once.for_the_module(django_db_blocker):
        world = a_world()
        walls = matrix.Walls(world)
        walls.requests["stranger"] = walls._of_staff(world.mallory)
        people = {role: walls.requests[role][0] for role in PEOPLE}
        known = seeded.seeded(world, people, tmp_path_factory.mktemp("mail") / "box")
        asks = answers.Answers(walls, known, answers.the_keys(world))
        rows = list(answers.rows(asks, ASKED, SENT))
        if WRITE:
            answers.write(rows)
        reviewed = {key_of(row): row for row in answers.read()}
        yield SimpleNamespace(rows=rows, reviewed=reviewed, asks=asks)


def key_of(row):
    return row["method"], row["route"]


def is_in(cell):
    return cell.startswith("2") or cell in ("302", "confirm")


def is_elsewhere(row):
    return any(row["name"].startswith(begin) or row["route"].startswith(begin) for begin in ELSEWHERE)


@pytest.mark.slow
def test_every_answer_is_as_it_was_reviewed(found):
    now, reviewed = {key_of(row): row for row in found.rows}, found.reviewed
    assert now.keys() == reviewed.keys(), "a page is new, or gone: write the file anew, and read what changed"
    changed = {
        route: {name: (reviewed[route][name], row[name]) for name in answers.HEAD if reviewed[route][name] != row[name]}
        for route, row in now.items()
    }
    assert {route: cells for route, cells in changed.items() if cells} == {}
    print("answers:", Counter(row[who] for row in now.values() for who in answers.PRINCIPALS if row[who]))


@pytest.mark.slow
def test_somebody_gets_in_everywhere_and_nobody_breaks_anything(found):
    """Else a row would prove nothing. Who is named ELSEWHERE is needed there."""
    read = [row for row in found.rows if row["method"] == "GET"]
    closed = {row["name"] for row in read if not any(is_in(row[who]) for who in (*PEOPLE, "key"))}
    assert closed - {row["name"] for row in found.rows if is_elsewhere(row)} == set()
    assert [key_of(row) for row in found.rows if any(row[who].startswith("5") for who in answers.PRINCIPALS)] == []


@pytest.mark.slow
def test_a_stranger_finds_nothing_that_is_of_this_licensee(found):
    """An officer of another licensee and its key, about each object; whoever has no role; whose session is over."""
    asked = [row for row in found.rows if "<" in row["route"] and row["name"] not in OF_THE_HOUSE]
    for row in asked:
        for who in {"stranger", "stranger_key", "no_role"} & {*NOW}:
            unread = ("422",) if who == "stranger_key" and row["method"] != "GET" else ()  # an empty body, before all
            assert row[who] in ("", "401", "403", "404", *unread), (key_of(row), who, row[who])
    assert len(asked) > 200
    for row in found.rows:
        assert len({row[who] for who in {"anonymous", "disabled", "expired"} & {*NOW} if row[who]}) == 1, (
            f"{row['route']}: a session that ended opens it"
        )
        assert row["ended_key"] in ("", "401")


def test_the_aml_side_is_not_there_for_anybody_else():
    """Pages, drafts and acts of it answer as addresses that do not exist; reporting a suspicion is for everybody."""
    side = [row for row in answers.read() if "/aml/" in row["route"] or "suspicion" in row["route"]]
    others = {"no_role", "stranger", *PEOPLE} - AML_ROLES
    asked = [row for row in side if row["name"] != "suspicion-new" and not row["route"].startswith("/api/")]
    assert [(key_of(row), who) for row in asked for who in others if row[who] != "404"] == []
    assert len(asked) > 40 and len(others) > 8


def test_an_auditor_is_let_to_nothing_that_changes():
    """What was reviewed of them, sent empty: refused; what is not is asked with a filled form in test_read_only.py."""
    sent = [row for row in answers.read() if row["method"] != "GET" and row["auditor"]]
    done = {row["name"] for row in sent if row["auditor"] == "302" or row["auditor"].startswith("2")}
    assert done - set(THEIRS) - PUBLIC == set()
    assert len(sent) > 170


@pytest.mark.slow
def test_an_object_of_others_and_one_that_never_was_read_alike(found):
    """Every operation that names an object, asked by the other licensee's key, once about ours and once about none."""
    asked = 0
    for route in answers.asked():
        row = {"name": found.asks.name_of(route), "route": "/" + route.address}
        if is_elsewhere(row):
            continue
        if not route.operations or "<" not in route.address or row["name"] in OF_THE_HOUSE:
            continue
        path = found.asks.path_of(route)
        never = found.asks.path_of(route, found.asks.nobody)
        ours, none = (_body(found.asks.ask(one, "stranger_key")) for one in (path, never))
        assert path != never and ours[0] == 404
        assert ours == none, route.address
        asked += 1
    assert asked > 10


def _body(answer):
    """Without what names the request itself."""
    text = answer.content.decode()
    body = json.loads(text)
    return answer.status_code, {name: value for name, value in body.items() if name not in ("instance", "request_id")}


@pytest.mark.slow
def test_no_method_that_a_page_does_not_take_does_anything(found):
    """Every other method at every page, as a visitor and as an agent; what an agent may send is each act's own test."""
    let, sent = {}, 0
    with once.undrawn():
        for route in list(filter(is_a_page, matrix.routes()))[:: times(1, 4)]:
            path, taken = found.asks.path_of(route), {"HEAD", *route.methods}
            for method in ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
                for who in ("anonymous", "agent") if method not in taken else ():
                    cell, sent = said(found.asks.ask(path, who, method)), sent + 1
                    refused = ("sign_in", "404") if who == "anonymous" else ("403", "404", "405")
                    if cell not in refused and (route.name, method) not in SAYS_WHAT_IT_TAKES:
                        let[route.address, who, method] = cell
    print("sent:", sent)
    assert let == {}
    assert sent > times(1_200, 300)


def is_a_page(route):
    """Of staff; the sign-in library's own are tried in tests/people."""
    if not route.is_plain or route.address.startswith(("accounts/", "api/")):
        return False
    return rule_of(SimpleNamespace(func=route.view, view_name=route.name)) not in (Rule.PUBLIC, Rule.CLOSED)
