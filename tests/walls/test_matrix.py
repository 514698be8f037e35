"""Who gets in where, held against the file that somebody reviewed.

A new route, another rule or another right of a role is a difference. When it is meant, write the file anew and look at
what changed in it:

    WRITE_MATRIX=1 python3 dev.py test tests/walls/test_matrix.py -q
    git diff tests/walls/matrix.csv
"""

import csv
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve

from audit import context
from audit.access import Rule
from compliance.api import api
from compliance.people.roles import ROLES
from tests.walls import answers, matrix
from tests.walls.matrix import CLOSED, IN, NO, NOBODY, PEOPLE, PRINCIPALS, SIGN_IN
from tests.world import a_world

WRITE = os.environ.get("WRITE_MATRIX") == "1"
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "asvs.md"
SIZE = r"\| `tests/walls/matrix\w*\.csv` \| \d+ \| \d+ \| \d+ \| 0 \|"


@pytest.fixture(scope="module")
def found(django_db_setup, django_db_blocker):
    """The rows, once for the module: nothing is kept."""
    both = transaction.atomic(), transaction.atomic(using="log")
    with django_db_blocker.unblock(), context.use(context.new("test")), both[0], both[1]:
        rows, refused, walls = matrix.matrix(a_world())
        yield SimpleNamespace(rows=rows, refused=refused, walls=walls)
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="log")


def test_every_row_is_as_it_was_reviewed(found):
    if WRITE:
        matrix.write(found.rows)
    reviewed = {(row["route"], row["name"]): row for row in matrix.read()}
    now = {(row["route"], row["name"]): row for row in found.rows}
    assert sorted(set(now) - set(reviewed)) == [], "new routes: review them and write the matrix anew"
    assert sorted(set(reviewed) - set(now)) == [], "routes that are gone: write the matrix anew"
    changed = {
        key: {name: (reviewed[key][name], row[name]) for name in matrix.HEAD if reviewed[key][name] != row[name]}
        for key, row in now.items()
    }
    assert {key: cells for key, cells in changed.items() if cells} == {}


def test_every_method_that_a_route_takes_was_asked_as_everybody(found):
    """Counted is what was asked; a method that a route does not take is the business of test_read_only.py."""
    wanted = sum(len(route.methods) for route in matrix.routes()) * len(PRINCIPALS)
    print(f"asked: {len(found.walls.asked)} of {len(found.rows)} routes")
    assert len(found.walls.asked) == wanted > 7_000


def test_the_size_that_is_written_down_is_what_is_asked():
    """Of both files; the tests above and those in test_answers.py find no mismatch."""
    now = [_size(matrix.FILE, PRINCIPALS, "methods"), _size(answers.FILE, answers.PRINCIPALS)]
    if WRITE:
        written = iter(now)
        REFERENCE.write_text(re.sub(SIZE, lambda old: next(written), REFERENCE.read_text()))
    assert re.findall(SIZE, REFERENCE.read_text()) == now, "WRITE_MATRIX=1 writes it anew"


def _size(file, principals, methods=""):
    """A line of the reference: an answer is a cell, and of `matrix.csv` one for each method that the route takes."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    asked = sum((len(row[methods].split()) if methods else 1) for row in rows for who in principals if row[who])
    return f"| `tests/walls/{file.name}` | {len(rows)} | {len(principals)} | {asked} | 0 |"


def test_strangers_get_into_public_routes_only(found):
    opened = {row["name"] for row in found.rows if any(row[who] == IN for who in NOBODY)}
    public = {row["name"] for row in found.rows if row["rule"] == Rule.PUBLIC} | {"openapi-json", "api-root"}
    assert opened <= public
    for row in found.rows:
        assert len({row[who] for who in NOBODY}) == 1, f"{row['route']}: a session that ended differs from none"


def test_every_row_has_somebody_who_gets_in(found):
    """Else the row would prove nothing."""
    for row in found.rows:
        assert row["rule"] == Rule.CLOSED or any(row[who] == IN for who in PRINCIPALS), row["route"]
        assert row["rule"] != Rule.CLOSED or all(row[who] == CLOSED for who in PRINCIPALS), row["route"]


def test_a_role_gets_in_where_its_rights_say(found):
    """The other way round: computed from the roles' own lists, not from Django's answer."""
    for row in found.rows:
        if "." in row["rule"]:
            holders = {who for who in PEOPLE if row["rule"] in ROLES[who].permissions}
            assert {who for who in PEOPLE if row[who] == IN} == holders, row["route"]
            assert row["no_role"] == NO
    assert found.refused["access.deny"] > 500, "each refusal is written down"


def test_a_key_opens_no_page_and_a_session_no_operation(found):
    for row in found.rows:
        if row["route"].startswith("/api/") and row["rule"] not in (str(Rule.KEY), str(Rule.PUBLIC), ""):
            assert {row[who] for who in (*NOBODY, "no_role", *PEOPLE, "ended_key")} == {SIGN_IN}, row["route"]
            assert row["key"] == IN
            assert row["rule"] == "ping" or row["foreign_key"] == NO, row["route"]
        elif row["rule"] not in (Rule.PUBLIC, Rule.KEY, Rule.CLOSED):
            assert {row[who] for who in matrix.KEYS} == {SIGN_IN}, row["route"]


def test_the_addresses_and_the_description_of_the_api_are_the_same(found):
    described = {(path, method.upper()) for path, item in api.get_openapi_schema()["paths"].items() for method in item}
    served = {
        ("/" + route.address.replace("<uuid:", "{").replace("<str:", "{"), method)
        for route in matrix.routes()
        for method in route.operations
    }
    plain = {(_plain(path), method) for path, method in served}
    assert {(_plain(path), method) for path, method in described} == plain
    assert len(plain) > 20


def _plain(path):
    """Names of parts only: how a part is converted is not what is compared."""
    parts = (part for part in path.split("/"))
    return "/".join("{}" if part[:1] in "{<" and part else part for part in parts)


def test_no_route_hides_behind_another():
    """Else the wall that was looked at is not the one that answers."""
    for route in matrix.routes():
        if route.is_plain and not route.operations:
            assert resolve(route.path).func is route.view, route.address


def test_every_rule_that_is_taken_away_is_seen(found, monkeypatch):
    """Each rule, and each question for a fresh sign-in, is weakened once: its row must differ. The share is shown."""
    told, quiet = [], []
    refuse = SimpleNamespace(record_refusal=lambda *args, **facts: None)
    monkeypatch.setattr("audit.access.record_refusal", refuse.record_refusal)
    rows = {(row["route"], row["name"]): row for row in found.rows}
    for route in matrix.routes():
        row = rows["/" + route.address, route.name]
        for attribute, weaker in _weaker(route.view):
            kept = getattr(route.view, attribute)
            setattr(route.view, attribute, weaker)
            try:
                now = found.walls.row(route)
            except StopIteration:
                now = {}
            finally:
                setattr(route.view, attribute, kept)
            (told if now != row else quiet).append(f"{route.address}: {attribute}")
    print(f"rules taken away: {len(told) + len(quiet)}, seen: {len(told)}")
    assert quiet == []
    assert len(told) > 150


def _weaker(view):
    """(attribute, what it is instead): a right becomes "signed in", that becomes "anybody"; no fresh sign-in."""
    named = view.__dict__.get("rule")
    if isinstance(named, str) and named not in (Rule.PUBLIC, Rule.KEY, Rule.CLOSED):
        yield "rule", Rule.PUBLIC if named == Rule.SIGNED_IN else Rule.SIGNED_IN
    if view.__dict__.get("fresh"):
        yield "fresh", False


def test_what_the_walls_say_is_what_http_answers(found):
    """A sample, through the whole product: one role in, one role out, for routes without an object in their address."""
    sample = [row for row in found.rows if "." in row["rule"] and "<" not in row["route"] and "GET" in row["methods"]]
    asked = 0
    for row in sample[:: max(1, len(sample) // 3)]:
        for wanted in (IN, NO):
            who = next((name for name in PEOPLE if row[name] == wanted), None)
            if who is None:
                continue
            client = Client()
            client.force_login(found.walls.requests[who][0], backend=matrix.BACKEND)
            status = client.get(row["route"]).status_code
            assert (status == 403) == (wanted == NO), (row["route"], who, status)
            assert status < 500
            asked += 1
    assert asked >= 6
