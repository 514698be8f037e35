"""A key is answered in the version it was issued in, whatever came after; a request may ask for another."""

import json

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from compliance.platform import versions
from compliance.platform.scopes import Scope
from compliance.platform.services import pin_version

pytestmark = pytest.mark.urls("tests.platform.operations")
OLD, NEW = "2026-11-22", "2027-02-01"
THINGS = "/api/v1/try/things"


@pytest.fixture
def changed(monkeypatch):
    """From NEW on a thing has a `name`; before, it was its `label`."""
    monkeypatch.setattr(versions, "VERSIONS", [*versions.VERSIONS, NEW])
    monkeypatch.setattr(versions, "_changes", [])
    versions.register(
        versions.Change(
            NEW,
            "POST /try/things",
            older_answer=lambda body: {"id": body["id"], "label": body["name"]},
            newer_request=lambda body: {"size": body["size"], "name": body["label"]},
        )
    )


@pytest.fixture
def send(api, issue):
    def send(key, body, **headers):
        return api.post(THINGS, json.dumps(body), content_type="application/json", headers={**key.headers, **headers})

    return send


def test_an_old_key_keeps_its_form_in_requests_answers_and_replays(changed, issue, send):
    old, new = issue(Scope.CASES_WRITE), issue(Scope.CASES_WRITE)
    pin_version(old.row, OLD, by=old.row.owner)
    again = {"Idempotency-Key": "k"}
    first = send(old, {"label": "Cup", "size": 1}, **again)
    assert (first.status_code, first.json()["label"], first["Mizan-Version"]) == (201, "Cup", OLD)
    repeat = send(old, {"label": "Cup", "size": 1}, **again)
    assert repeat["Idempotent-Replayed"] == "true" and repeat.json() == first.json()
    assert send(new, {"name": "Cup", "size": 1}).json()["name"] == "Cup"
    # A header asks for another, once; errors have one form in all versions.
    assert send(new, {"label": "Cup", "size": 1}, **{"Mizan-Version": OLD}).json()["label"] == "Cup"
    assert send(old, {"name": "Cup", "size": 1}, **{"Mizan-Version": NEW}).json()["name"] == "Cup"
    refused = send(old, {"label": "Fail", "size": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "conditions_not_met")


def test_changes_are_undone_from_the_youngest_to_the_oldest(monkeypatch):
    monkeypatch.setattr(versions, "VERSIONS", ["a", "b", "c"])
    monkeypatch.setattr(versions, "_changes", [])
    for version in ("c", "b"):
        change = versions.Change(version, "GET /x", older_answer=lambda body, v=version: [*body, f"un-{v}"])
        versions.register(change)
    assert versions.older_answer("GET /x", [], "a") == ["un-c", "un-b"]
    assert versions.older_answer("GET /x", [], "b") == ["un-c"]
    assert versions.older_answer("GET /x", [], "c") == versions.older_answer("GET /y", [], "a") == []


def test_a_version_that_does_not_exist_is_refused_by_name(send, issue):
    answer = send(issue(Scope.CASES_WRITE), {}, **{"Mizan-Version": "2020-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_version")
    assert OLD in answer.json()["detail"]


def test_a_change_belongs_to_a_version_after_the_first():
    with pytest.raises(ValueError, match="no version"):
        versions.register(versions.Change(OLD, "GET /x"))


def test_a_key_is_moved_by_command_and_that_is_recorded(changed, issue, alice, capsys):
    key = issue(Scope.PING)
    assert key.row.api_version == NEW
    call_command("platform", "pin-version", key.row.prefix, OLD, "--by", alice.email)
    key.row.refresh_from_db()
    assert key.row.api_version == OLD
    assert Entry.objects.filter(action="platform.pin_version").count() == 1
    with pytest.raises(CommandError, match="no version"):
        call_command("platform", "pin-version", key.row.prefix, "2020-01-01", "--by", alice.email)
    with pytest.raises(CommandError, match="no such key"):
        call_command("platform", "pin-version", "mzn_0", OLD, "--by", alice.email)


def test_each_version_has_its_section_in_the_reference(settings):
    page = (settings.BASE_DIR / "docs" / "reference" / "api-versions.md").read_text()
    assert [version for version in versions.VERSIONS if f"## {version}\n" not in page] == []
