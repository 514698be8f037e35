"""What every kind of answer says to a browser, what that scores by public rules, and where browsers report to."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
import time_machine
from django.test import Client

from audit import context
from cases.types.verification import services as verification
from tests.papers import bring
from tests.world import a_world

BACKEND = "compliance.people.access.backend.StaffBackend"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "form-action": "'self'",
    "report-uri": "/csp-report/",
}


REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "asvs.md"
# What compliance/settings.py sets where the address of the product is https.
HTTPS = {
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}


@pytest.fixture
def pages(db, request, settings):
    """An answer of each kind: sign-in, list, case, page of a file, its bytes, API, not found, an error of ours."""
    with context.use(context.new("test")):
        world = a_world()
        case = verification.review(world.verification(), by=world.alice)
        evidence = bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    over = "https" if getattr(request, "param", "") == "https" else "http"
    for name, value in HTTPS.items() if over == "https" else ():
        setattr(settings, name, value)
    scheme = {"wsgi.url_scheme": over}
    alice = Client(raise_request_exception=False, **scheme)
    alice.force_login(world.alice, backend=BACKEND)
    visitor, bob = Client(**scheme), Client(**scheme)
    bob.force_login(world.bob, backend=BACKEND)
    why = {"reason": "authority", "note": "Letter of the prosecutor."}
    given = bob.post(f"/cases/{case.number}/review/{evidence.pk}/original/", why)
    with mock.patch("cases.queries.CaseQuerySet.visible_to", side_effect=RuntimeError("ours")):
        broken = alice.get("/cases/")
    return {
        "sign-in": visitor.get("/accounts/login/"),
        "list": alice.get("/cases/"),
        "case": alice.get(f"/cases/{case.number}/"),
        "file": alice.get(f"/cases/{case.number}/review/{evidence.pk}/"),
        "api": visitor.get("/api/v1/ping"),
        "not found": alice.get("/nothing/here/"),
        "bytes": bob.get(given.headers["Location"]),
        "error": broken,
        "ready": visitor.get("/healthz"),
    }


def test_every_kind_of_page_has_the_headers(pages):
    health = pages.pop("ready")
    assert health.status_code == 200
    assert [pages[kind].status_code for kind in ("bytes", "error", "not found")] == [200, 500, 404]
    assert "ours" not in pages["error"].content.decode()
    for kind, response in pages.items():
        for name, value in EVERYWHERE.items():
            assert response.headers.get(name) == value, f"{kind}: {name}"
        said = directives(response)
        wanted = POLICY if kind != "bytes" else {"sandbox": "", "default-src": "'none'"}
        for directive, value in wanted.items():
            assert said[directive] == value, f"{kind}: {directive}"
        assert "unsafe" not in response.headers["Content-Security-Policy"], kind
        assert "Server" not in response.headers and "X-Powered-By" not in response.headers


def directives(response):
    parts = (part.strip().partition(" ") for part in response.headers["Content-Security-Policy"].split(";"))
    return {directive: value for directive, _space, value in parts}


def score(response):
    """By the rules of Mozilla's HTTP Observatory, which anybody can read: from 100, less what is missing, and more for
    what is better than needed. Redirection and cross-origin scripts are the same everywhere and take nothing away.
    """
    said, policy = response.headers, directives(response)
    points = {
        "policy": -20
        if "unsafe" in said["Content-Security-Policy"]
        else 10
        if policy["default-src"] == "'none'"
        else 5,
        "transport": 0 if int(said.get("Strict-Transport-Security", "=0").split("=")[1].split(";")[0]) > 15e6 else -20,
        "sniffing": 0 if said.get("X-Content-Type-Options") == "nosniff" else -5,
        "framing": 5 if "frame-ancestors" in policy else 0 if said.get("X-Frame-Options") == "DENY" else -20,
        "referrer": 5 if said.get("Referrer-Policy") in ("same-origin", "no-referrer") else -5,
        "resources": 10 if said.get("Cross-Origin-Resource-Policy") == "same-origin" else 0,
        "cookies": min((_of_cookie(cookie) for cookie in response.cookies.values()), default=0),
        "sharing": -50 if said.get("Access-Control-Allow-Origin") == "*" else 0,
    }
    return 100 + sum(points.values())


def _of_cookie(cookie):
    if not cookie["secure"]:
        return -40 if "session" in cookie.key else -20
    return 5 if cookie["httponly"] and cookie["samesite"] else -10


@pytest.mark.parametrize("pages", ["https"], indirect=True)
def test_each_kind_of_page_scores_what_is_written_down(pages):
    """Over https, as it is run; `check --deploy` holds the settings themselves."""
    told = {kind: score(pages[kind]) for kind in ("sign-in", "case", "bytes", "api", "not found", "error")}
    assert min(told.values()) >= 100
    written = dict(re.findall(r"^\| ([a-z -]+) \| (\d+) \|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE))
    assert written == {kind: str(points) for kind, points in told.items()}


def test_what_staff_see_is_kept_by_no_cache(pages):
    for kind in ("list", "case", "file", "bytes"):
        assert "no-store" in pages[kind].headers["Cache-Control"], kind


def test_a_report_of_a_browser_is_written_down_without_what_was_searched(client, db, caplog):
    report = {"csp-report": {"document-uri": "https://x/search/?q=secret", "violated-directive": "img-src"}}
    body = json.dumps(report)
    assert client.post("/csp-report/", body, content_type="application/csp-report").status_code == 204
    assert "img-src" in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "{}", "[1, null]", '{"csp-report": 3}', '{"a": "\\ud800"}'])
def test_nonsense_is_taken_and_dropped(client, db, caplog, body):
    assert client.post("/csp-report/", body, content_type="application/json").status_code == 204
    assert "content security policy" not in caplog.text


def test_a_flood_of_reports_does_not_fill_the_log(client, db, caplog):
    body = json.dumps({"csp-report": {"violated-directive": "img-src"}})
    with time_machine.travel(datetime(2026, 2, 3, 12, 0, 30, tzinfo=UTC), tick=False):  # a minute is counted, not two
        for _one in range(70):
            client.post("/csp-report/", body, content_type="application/json")
    assert caplog.text.count("content security policy") == 60


def test_security_txt_names_whom_to_tell(client, settings, db):
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT = "mailto:security@example.com"
    text = client.get("/.well-known/security.txt").content.decode()
    assert "Contact: mailto:security@example.com" in text
    assert "Expires: 20" in text
