"""What the whole product answers: every route x method x principal, over HTTP, in a world with one object of each kind.

`matrix.csv` says what stands before a view. This says what somebody meets who is let through to it: an object that is
not theirs is nowhere (404), an act that is not theirs is refused (403). What changes is sent empty: whoever may do it
is told what is missing (422). Those whom `matrix.csv` stops before the view all meet the same wall there: at each
address one of them is asked, by turns, and answers for the others. `matrix_http.csv` is what was answered when somebody
last looked at it; to write it anew see `test_answers.py`.
"""

import csv
import re
import uuid
from collections import defaultdict
from pathlib import Path
from zlib import crc32

from django.conf import settings
from django.test.client import ClientHandler, RequestFactory

from compliance.platform.scopes import Scope
from tests import once
from tests.walls import matrix
from tests.walls.matrix import PEOPLE

FILE = Path(__file__).with_name("matrix_http.csv")
STAFF = (
    "anonymous",
    "disabled",
    "expired",
    "no_role",
    *PEOPLE,
    "stranger",
)  # the last is an officer of another licensee
KEYS = ("anonymous", "officer", "key", "stranger_key", "ended_key")
PRINCIPALS = (*STAFF, "key", "stranger_key", "ended_key")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEAD = ("method", "route", "name", *PRINCIPALS)
# What a parameter is called where another object bears the same name.
CALLED = {
    "suspicion": {"report_id": "suspicion_id"},
    "set": {"code": "set_code"},
    "read_brand": {"slug": "brand"},
    "read_contact": {"id": "contact_id"},
    "read_customer": {"id": "customer_id"},
    "read_person": {"id": "person_id"},
    "read_proposal": {"id": "proposal_id"},
    "read_document": {"id": "evidence_id"},
    "read_evidence": {"id": "evidence_id"},
    "read_original": {"id": "evidence_id"},
}
NEVER = {"number": "KYC-26-999999-0", "ref": "P-never", "slug": "never", "brand": "never", "version": "never"}
ASKED_WITH = {"read_original": "?reason=authority"}


class Answers:
    """Asks as each principal, in a process of the product without a socket; nothing that a question writes stays."""

    def __init__(self, walls, known, keys):
        self.handler, self.factory = ClientHandler(enforce_csrf_checks=False), RequestFactory()
        self.cookies = {
            name: _cookie(session) for name, (_user, session) in walls.requests.items() if name != "anonymous"
        }
        self.known, self.keys = known, keys
        self.nobody = {"": {name: NEVER.get(name, uuid.UUID(int=7)) for name in known[""]}}

    def path_of(self, route, known=None, method="GET"):
        """The address of this route about the object of the world that its parameters name; others about nobody."""
        name = self.name_of(route, method)
        named, parts = self._named(route, name, known or self.known), []
        for part in route.address.split("/"):
            for converter, called in re.findall(r"<(?:(\w+):)?(\w+)>", part):
                part = str(named.get(called, matrix.SAMPLES[converter or "str"]))
            parts.append(part)
        return "/" + "/".join(parts) + ASKED_WITH.get(name, "")

    @staticmethod
    def name_of(route, method="GET"):
        return route.operations[method].operation_id if route.operations else route.name

    @staticmethod
    def _named(route, name, known):
        named = dict(known[""])
        for prefix, facts in known.items():
            if prefix and (route.address.startswith(prefix) or name.startswith(prefix)):
                named |= facts
        return named | {name: named[other] for name, other in CALLED.get(name, {}).items() if other in named}

    def ask(self, path, principal, method="GET", body=None, kind="application/x-www-form-urlencoded", **headers):
        """One request, as this principal; what it wrote is undone."""
        if principal in self.keys:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {self.keys[principal]}"
        request = self.factory.generic(method, path, body or b"", kind, **headers)
        if principal in self.cookies:
            request.META["HTTP_COOKIE"] = f"{settings.SESSION_COOKIE_NAME}={self.cookies[principal]}"
        with once.undone():
            return self.handler(request.environ)


def said(answer):
    """The status; of a way elsewhere, which of those that ask who it is."""
    where = answer.headers.get("Location", "")
    if answer.status_code == 302 and where.startswith("/accounts/login/"):
        return "sign_in"
    if answer.status_code == 302 and "reauthenticate" in where:
        return "confirm"
    return str(answer.status_code)


def _cookie(session):
    session.save()
    return session.session_key


def asked(method="GET"):
    """Every route that takes this method, once; the sign-in library's own are tried in tests/people."""
    found = {}
    for route in matrix.routes():
        if method in route.methods and route.is_plain and not route.address.startswith("accounts/"):
            found.setdefault(route.address, route)
    return list(found.values())


def rows(answers, readers=STAFF, senders=STAFF):
    """Each line as it is now; with fewer `readers` and `senders`, what the others met when the file was written."""
    kept = {(row["method"], row["route"]): row for row in read()}
    walls = {(row["route"], row["name"]): row for row in matrix.read()}
    with once.undrawn():
        for method in METHODS:
            for route in asked(method):
                address, who = "/" + route.address, readers if method == "GET" else senders
                who = KEYS if route.operations else who
                facts = {"method": method, "route": address, "name": answers.name_of(route, method)}
                before = kept.get((method, address), {}) if len(who) < len(STAFF) and not route.operations else {}
                met = _met(answers, route, method, _together(address, walls[address, route.name], who))
                yield dict.fromkeys(PRINCIPALS, "") | before | facts | met


def _together(address, walls, who):
    """Those who are stopped before the view for the same reason; everybody else is alone."""
    groups = defaultdict(list)
    for name in who:
        cell = walls.get("officer" if name == "stranger" else name, "")
        groups[cell if cell in (matrix.NO, matrix.SIGN_IN) else name].append(name)
    for together in groups.values():
        turn = crc32(address.encode()) % len(together)
        yield together[turn], together


def _met(answers, route, method, groups):
    path, sent = answers.path_of(route, method=method), {}
    if route.operations and method != "GET":
        sent = {"body": b"{}", "kind": "application/json", "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
    return {
        name: cell for one, all in groups for cell in [said(answers.ask(path, one, method, **sent))] for name in all
    }


def the_keys(world):
    """Each with every scope: of this licensee, of another one, and one that was revoked."""
    theirs = world.mallory.memberships.get().team.queues.get().licensee
    return {
        "key": matrix.key_of(world.licensee, world.alice, [*Scope]),
        "stranger_key": matrix.key_of(theirs, world.mallory, [*Scope]),
        "ended_key": matrix.key_of(world.licensee, world.alice, [*Scope], ended=True),
    }


def read():
    with FILE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(found):
    with FILE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
