"""Who gets in with a key, and who does not."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from audit.actors import Actor
from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.platform.services import find_key, revoke_key

PING = "/api/v1/ping"


def refused(reason):
    entries = Entry.objects.using("log").filter(action="platform.sign_in", outcome="refused")
    return [entry for entry in entries if json.loads(bytes(entry.entry))["reason"]["code"] == reason]


def test_a_key_gets_in_with_one_query(api, issue, django_assert_num_queries):
    key = issue("cases:read")
    assert api.get(PING, headers=key.headers).status_code == 200  # the first use is noted
    with django_assert_num_queries(1):
        answer = api.get(PING, headers=key.headers)
    told = {"key": key.row.prefix, "licensee": "lale", "scopes": ["cases:read", "ping"]}
    assert answer.json() == told | {"test": False, "version": "2026-11-22"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer mzn_00000000_wrong"},
        {"Authorization": "Basic bXpuOnNlY3JldA=="},
        {"Authorization": "Bearer \ud7ff"},
        {"Cookie": "key=mzn_00000000_wrong"},
    ],
)
def test_without_a_key_nobody_gets_in(api, headers):
    answer = api.get(PING, headers={name: value.encode().decode("latin-1") for name, value in headers.items()})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "not_authenticated"


def test_the_session_of_a_person_does_not_open_the_api(api, alice):
    api.force_login(alice, backend="compliance.people.access.backend.StaffBackend")
    assert api.get(PING).status_code == 401


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda key, alice: revoke_key(key.row, by=alice), "revoked"),
        (
            lambda key, alice: ApiKey.objects.filter(pk=key.row.pk).update(
                created_at=Now() - timedelta(days=9), expires_at=Now()
            ),
            "expired",
        ),
        (lambda key, alice: type(alice).objects.filter(pk=alice.pk).update(is_active=False), "owner_not_active"),
    ],
    ids=["revoked", "expired", "owner left"],
)
def test_a_key_ends_at_once(api, key, alice, spoil, reason):
    assert api.get(PING, headers=key.headers).status_code == 200
    spoil(key, alice)
    assert api.get(PING, headers=key.headers).status_code == 401
    assert len(refused(reason)) == 1
    assert list(ApiKey.objects.usable()) == []


def test_a_key_does_what_its_scopes_say(api, issue):
    key = issue(Scope.CASES_READ)
    answer = api.post("/api/v1/customers", "{}", content_type="application/json", headers=key.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_scope")
    assert "customers:write" in answer.json()["detail"]
    assert len(refused("no_scope")) == 1


def test_a_stranger_who_guesses_does_not_fill_the_log(api):
    for guess in range(5):
        api.get(PING, headers={"Authorization": f"Bearer mzn_00000000_{guess}"})
    assert len(refused("unknown_key")) == 1


def test_only_a_digest_of_the_secret_is_stored(issue):
    key = issue()
    stored = ApiKey.objects.values().get(pk=key.row.pk)
    assert key.token not in str(stored)
    assert len(key.token.removeprefix(key.row.prefix)) >= 43  # 256 bits
    assert find_key(key.token) == key.row
    assert find_key(key.token[:-1] + "x") is None


def test_a_key_acts_under_its_own_id_and_counts_as_its_owner(key, alice):
    found = find_key(key.token)
    assert (found.audit_actor, found.human_id, found.is_active) == (Actor("key", str(key.row.pk)), alice.human_id, True)


def test_issuing_and_revoking_are_recorded_without_the_name_in_the_open(key, alice):
    revoke_key(key.row, by=alice)
    revoke_key(key.row, by=alice)
    entries = Entry.objects.filter(object_id=str(key.row.pk)).order_by("id")
    assert [entry.action for entry in entries] == ["platform.issue_key", "platform.revoke_key"]
    assert b"CRM" not in bytes(entries[0].entry)
    assert key.token.encode() not in bytes(entries[0].entry)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scopes": ["cases:everything"]}, "cases:everything"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "future"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_issued(issue, alice, wrong, words):
    with pytest.raises(ConditionsNotMet, match=words):
        issue(**wrong)


def test_the_command_shows_the_secret_once(alice, licensee, capsys):
    options = ["--owner", alice.email, "--by", alice.email, "--licensee", "lale", "--name", "CRM"]
    call_command("platform", "issue-key", *options, "--scopes", "cases:read,customers:write", "--json")
    said = json.loads(capsys.readouterr().out)
    assert find_key(said["secret"]).scopes == ["cases:read", "customers:write", "ping"]
    call_command("platform", "list-keys", "--json")
    listed = capsys.readouterr().out
    assert said["prefix"] in listed
    assert said["secret"] not in listed
    call_command("platform", "revoke-key", said["prefix"], "--by", alice.email)
    assert not find_key(said["secret"]).is_active


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--owner", "nobody@example.com", "--licensee", "lale"], "nobody@example.com"),
        (["--owner", "alice@example.com", "--licensee", "gul"], "Known: lale"),
    ],
)
def test_the_command_names_what_is_wrong(alice, licensee, options, words):
    with pytest.raises(CommandError, match=words) as refused:
        call_command("platform", "issue-key", *options, "--by", alice.email, "--name", "x", "--scopes", "ping")
    assert refused.value.returncode == 2
