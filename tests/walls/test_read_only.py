"""An auditor changes nothing: each method that changes is sent to each address, what is missing filled in from the
form that an officer is shown, and refused save for what is named here with its reason. Where an empty form is refused
already (tests/walls/test_answers.py asks it of one object of each kind) it is sent again by hand only.
"""

import base64
from datetime import timedelta
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from audit import context
from audit.access import Rule, rule_of
from audit.models import Entry
from cases.types.gaming.limits.forms import BLOCK_REASONS, REDUCE_REASONS
from cases.types.verification import services as verification
from tests import once
from tests.papers import a_file, bring
from tests.walls import answers, matrix
from tests.whole import PART
from tests.world import a_world

pytestmark = pytest.mark.django_db
CHANGING = ("POST",) if PART else ("POST", "PUT", "PATCH", "DELETE")
REFUSED = {403, 404, 405}
# What an auditor sends and is not refused: their own things, their own work, and what everybody has to be able to do.
THEIRS = {
    "profile": "how pages look for them",
    "keys": "which keys they press",
    "duty": "when they are away",
    "duty-shift": "whether they are here",
    "sessions-end": "their own sessions",
    "notice-settings": "what they are told of",
    "mark-notices": "what they have read",
    "save-view": "their own lists",
    "macros": "their own macros: they may work on no case, so none does anything",
    "watch": "being told of a case",
    "undo": "their own last act: they have none",
    "say-why": "why they look at a player",
    "conflict": "that they know a player",
    "show": "seeing what is masked, noted",
    "suspicion-new": "everybody may report a suspicion",
    "take": "the next case: they may work on none and get none",
    "check_range": "checking the log",
    "keep": "their own questions to the log",
    "export": "what an auditor takes away, with a reason",
    "bulk": "asking what would become of cases; who may not work on them is told so for each (tests/bulk)",
    "lookers": "the same",
    "take-list": "the same: the cases that they see, fresh sign-in, noted",
    "delays": "the same",
    "population": "the same",
    "counts": "the same",
}
# What the beginning of a file in pieces says (tus); every other address takes no notice of it.
SAYS = {"purpose": "address", "document_type": "utility_bill", "filename": "b.jpg", "filetype": "image/jpeg"}
IN_PIECES = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "9",
    "Upload-Offset": "0",
    "Upload-Metadata": ",".join(f"{name} {base64.b64encode(word.encode()).decode()}" for name, word in SAYS.items()),
}
# Refused before anybody's right is asked: by the state of the matter, or as the form offers them no brand to choose.
# Who may is asked where the act is tested.
BEFORE = {"reconsider", "revoke", "verification-funds", "verification-known", "verification-new", "verification-start"}
# Where a page has several forms, or one whose facts have to fit each other.
TYPED = {
    "note": {"text": "Words that say why."},
    "risk": {"code": "pep", "known_on": "2026-01-02"},
    "limits-block": {"reason": next(iter(BLOCK_REASONS))},
    "limits-reduce": {"measure": "deposit", "span": "day", "amount": "10", "currency": "TRY"}
    | {"reason": next(iter(REDUCE_REASONS))},
    "review": {"verdict": "ask_again", "reasons": ["image_glare"], "version": "0"},
}


class Form(HTMLParser):
    """The fields of every form on a page, each with something that fits."""

    def __init__(self, page):
        super().__init__()
        self.fields, self.select = {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        one = {name: value or "" for name, value in attrs}
        name, kind = one.get("name"), one.get("type", "text")
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and one.get("value"):
            self.fields.setdefault(self.select, one["value"])
        elif tag == "textarea" and name:
            self.fields[name] = "Words that say why."
        elif tag == "input" and name and name != "csrfmiddlewaretoken":
            self.fields.setdefault(name, one.get("value") or self._fitting(kind))

    def handle_endtag(self, tag):
        self.select = None if tag == "select" else self.select

    @staticmethod
    def _fitting(kind):
        tomorrow = timezone.localdate() + timedelta(days=1)
        fits = {"date": tomorrow.isoformat(), "datetime-local": f"{tomorrow}T12:00", "number": "1", "checkbox": "on"}
        return fits.get(kind, "1")


@pytest.fixture
def house():
    """A case in work, with a file, of a team whose auditor Carol is."""
    with context.use(context.new("test")):
        world = a_world()
        case = verification.review(world.verification(), by=world.alice)
        evidence = bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    case.refresh_from_db(fields=["version", "assignee"])
    ids = {"evidence_id": evidence.pk, "document_id": evidence.document_id, "customer_id": case.customer_id}
    known = {name: str(value) for name, value in ids.items()} | {"number": case.number, "slug": world.licensee.slug}
    return world, case, known


def ours(route):
    """Pages of staff; the sign-in library's own (a person's password and factors) are tried in tests/people."""
    if route.operations or not route.is_plain or route.address.startswith("accounts/"):
        return False
    return rule_of(SimpleNamespace(func=route.view, view_name=route.name)) not in (Rule.PUBLIC, Rule.KEY, Rule.CLOSED)


def path_of(route, known):
    parts = [part.strip("<>").rpartition(":") if part.startswith("<") else part for part in route.address.split("/")]
    return "/" + "/".join(
        part if isinstance(part, str) else known.get(part[2], matrix.SAMPLES[part[0] or "str"]) for part in parts
    )


def browser(user):
    client = Client(raise_request_exception=False)
    client.force_login(user, backend=matrix.BACKEND)
    return client


@pytest.mark.slow
def test_an_auditor_changes_nothing(house):
    world, case, known = house
    carol, bob, let, sent, filled = browser(world.carol), browser(world.bob), {}, 0, 0
    before = Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    refused = {row["route"] for row in answers.read() if row["method"] == "POST" and row["auditor"] in ("403", "404")}
    for route in filter(ours, matrix.routes()):
        if route.name in THEIRS or (PART and "/" + route.address in refused):
            continue  # what an empty form met in a world with more objects: tests/walls/test_answers.py
        path = path_of(route, known)
        for method in CHANGING:
            kind = "application/offset+octet-stream" if method == "PATCH" else "application/x-www-form-urlencoded"
            with once.undrawn():  # a page is drawn for Bob only, whose form is filled in
                status, sent = carol.generic(method, path, b"", kind, headers=IN_PIECES).status_code, sent + 1
            if status not in REFUSED and method == "POST":
                said = TYPED.get(route.name) or Form(bob.post(path).content.decode()).fields
                given = {"file": a_named_file()} if "file" in said else {}
                with once.undrawn():
                    status, filled = carol.post(path, said | given).status_code, filled + 1
            if status not in REFUSED and not (status in (409, 422) and route.name in BEFORE):
                let[route.name, method] = status
    print("not refused:", let)
    assert let == {}
    assert (PART or sent > 175 * len(CHANGING)) and filled > 10, (sent, filled)
    done = Entry.objects.filter(id__gt=before, actor_id=str(world.carol.pk), outcome="done")
    assert set(done.values_list("action", flat=True)) <= {"audit.read", "cases.view"}
    now = type(case).objects.get(pk=case.pk)
    assert (now.version, now.assignee) == (case.version, case.assignee)


def a_named_file():
    return SimpleUploadedFile("a.jpg", a_file(), content_type="image/jpeg")


def test_what_is_named_here_is_there():
    assert set(THEIRS) | BEFORE <= {route.name for route in matrix.routes()}
