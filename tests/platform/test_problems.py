"""Every error of the API has one form, and shows nothing of ours."""

import json
import re

import pytest
from django.conf import settings
from django.test import override_settings

from compliance.platform import problems
from compliance.platform.problems import codes, register
from documents.refusals import TEXTS, Refused
from tests.platform.operations import SECRET

pytestmark = pytest.mark.urls("tests.platform.operations")
TRY = "/api/v1/try"


def problem(answer, status, code):
    """The document, after checking what all have in common (RFC 9457, experience W3)."""
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:mizan:problem:{code}"
    assert body["title"] and body["detail"]
    assert body["request_id"] == answer["X-Request-Id"]
    assert SECRET not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    return body


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("denied", 403, "same_person"),
        ("missing", 404, "not_found"),
        ("stale", 409, "stale_version"),
        ("state", 409, "wrong_state"),
        ("unmet", 422, "conditions_not_met"),
        ("field", 422, "invalid"),
        ("keys", 503, "keys_unavailable"),
        ("shredded", 410, "erased"),
        ("bug", 500, "internal"),
    ],
)
def test_what_an_operation_raises_is_a_problem(api, key, how, status, code):
    body = problem(api.get(f"{TRY}/fail/{how}", headers=key.headers), status, code)
    assert body["instance"] == f"{TRY}/fail/{how}"


def test_unmet_conditions_and_fields_are_named(api, key):
    unmet = api.get(f"{TRY}/fail/unmet", headers=key.headers).json()["errors"]
    assert [one["detail"] for one in unmet] == ["Identity is missing.", "Address is missing."]
    fields = api.get(f"{TRY}/fail/field", headers=key.headers).json()["errors"]
    assert fields == [{"pointer": "/phone", "code": "phone", "detail": "This is no phone number."}]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointers"),
    [
        ('{"name": "x"}', 422, "invalid", ["/size"]),
        ('{"name": 7, "size": "big"}', 422, "invalid", ["/name", "/size"]),
        ("[]", 422, "invalid", ["/name", "/size"]),
        ("null", 422, "invalid", ["/name", "/size"]),
        ("", 422, "invalid", [""]),
        ("{", 400, "unreadable", []),
        ('{"name": "x", "size": NaN}', 400, "unreadable", []),
        ('{"name": "x", "name": "y", "size": 1}', 400, "unreadable", []),
        ('{"name": "a\\u0000b", "size": 1}', 400, "unreadable", []),
        ("[" * 100_000, 400, "unreadable", []),
        ('{"name": "\\ud800", "size": 1}', 400, "unreadable", []),
        ('{"name": "x", "size": 1e400}', 422, "invalid", ["/size"]),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_by_place(api, key, body, status, code, pointers):
    answer = api.post(f"{TRY}/things", body, content_type="application/json", headers=key.headers)
    found = problem(answer, status, code)
    assert [one["pointer"] for one in found.get("errors", [])] == pointers


def test_a_query_that_cannot_be_used_is_refused_by_name(api, key):
    found = problem(api.get(f"{TRY}/list?limit=many", headers=key.headers), 422, "invalid")
    assert found["errors"][0]["pointer"] == "?limit"


def test_an_address_that_does_not_exist(api):
    problem(api.get("/api/v1/nowhere"), 404, "not_found")


def test_a_method_that_does_not_fit(api, key):
    answer = api.delete("/api/v1/ping", headers=key.headers)
    problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET"


def test_a_nul_in_the_address(api, key):
    problem(api.get(f"{TRY}/fail/a%00b", headers=key.headers), 400, "unreadable")
    problem(api.get(f"{TRY}/list?limit=%00", headers=key.headers), 400, "unreadable")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
def test_a_body_that_is_too_large(api, key):
    body = json.dumps({"name": "x" * 200, "size": 1})
    answer = api.post(f"{TRY}/things", body, content_type="application/json", headers=key.headers)
    problem(answer, 413, "too_large")


def test_a_host_we_do_not_serve(api):
    problem(api.get("/api/v1/ping", headers={"Host": "evil.example"}), 400, "unreadable")


def test_a_page_is_still_answered_with_a_page(api):
    assert api.get("/nowhere/")["Content-Type"].startswith("text/html")


def test_replies_are_not_stored_by_caches(api, key):
    assert api.get("/api/v1/ping", headers=key.headers)["Cache-Control"] == "no-store"


def test_an_exception_is_answered_in_one_way(monkeypatch):
    monkeypatch.setattr(problems, "_answers", {})
    monkeypatch.setattr(problems, "_codes", set())
    with pytest.raises(ValueError, match="already"):
        register(PermissionError, status=403, code="x")
        register(PermissionError, status=404, code="y")


def test_every_code_is_explained_in_the_reference():
    """Also those that an exception names itself: Denied("...") anywhere, and why a file is not taken."""
    page = (settings.BASE_DIR / "docs" / "reference" / "problems.md").read_text()
    explained = set(re.findall(r"`(\w+)`", "".join(line for line in page.splitlines() if line.startswith("| "))))
    named = {
        code
        for package in ("audit", "cases", "compliance", "documents")
        for file in (settings.BASE_DIR / package).rglob("*.py")
        for code in re.findall(r"\bDenied\(\s*\"([a-z_]+)\"", file.read_text())
    }
    assert len(named) > 4
    assert (codes() | named | {Refused(text).code for text in TEXTS}) - explained == set()
