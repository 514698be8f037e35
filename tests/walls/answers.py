"""What the whole product answers to a GET: every route x principal, over HTTP, in a world with one object of each kind.

`matrix.csv` says what stands before a view. This says what somebody meets who is let through to it: an object that is
not theirs is nowhere (404), an act that is not theirs is refused (403). `matrix_http.csv` is what was answered when
somebody last looked at it; to write it anew see `test_answers.py`.
"""

import csv
import re
import uuid
from pathlib import Path

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
HEAD = ("route", "name", *PRINCIPALS)
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

    def path_of(self, route, known=None):
        """The address of this route about the object of the world that its parameters name; others about nobody."""
        named = self._named(route, known or self.known)
        parts = []
        for part in route.address.split("/"):
            for converter, name in re.findall(r"<(?:(\w+):)?(\w+)>", part):
                part = str(named.get(name, matrix.SAMPLES[converter or "str"]))
            parts.append(part)
        return "/" + "/".join(parts) + ASKED_WITH.get(self.name_of(route), "")

    @staticmethod
    def name_of(route):
        return route.operations["GET"].operation_id if route.operations else route.name

    def _named(self, route, known):
        named, name = dict(known[""]), self.name_of(route)
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


def asked():
    """Every route that is read, once; the sign-in library's own are tried in tests/people."""
    found = {}
    for route in matrix.routes():
        is_read = "GET" in route.operations if route.operations else "GET" in route.methods
        if is_read and route.is_plain and not route.address.startswith("accounts/"):
            found.setdefault(route.address, route)
    return list(found.values())


def rows(answers, staff=STAFF):
    """Each line as it is now; with fewer `staff`, what the others met when the file was written."""
    kept = {row["route"]: row for row in read()}
    with once.undrawn():
        for route in asked():
            path, who, address = answers.path_of(route), KEYS if route.operations else staff, "/" + route.address
            facts = {"route": address, "name": answers.name_of(route)} | dict.fromkeys(PRINCIPALS, "")
            before = kept.get(address, {}) if staff is not STAFF and not route.operations else {}
            yield facts | before | {name: said(answers.ask(path, name)) for name in who}


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
