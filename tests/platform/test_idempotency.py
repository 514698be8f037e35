"""The same request twice happens once (experience W1, security F-07)."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import ClassVar

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import context
from compliance.people.models import Human, Licensee, User
from compliance.platform.idempotency import NoFingerprint, _digest, lock_number
from compliance.platform.models import IdempotencyRecord
from compliance.platform.scopes import Scope
from compliance.platform.services import find_key, forget_old_replies, issue_key, rotate_key
from tests import database
from tests.platform import operations

pytestmark = pytest.mark.urls("tests.platform.operations")
THINGS, OTHERS = "/api/v1/try/things", "/api/v1/try/others"
ASKING = "/api/v1/try/asking"
THING = '{"name": "a", "size": 1}'


@pytest.fixture
def send(api, key):
    def send(body=THING, *, name="k-1", to=THINGS, by=key):
        headers = by.headers | ({"Idempotency-Key": name} if name is not None else {})
        return api.post(to, body, content_type="application/json", headers=headers)

    return send


def test_the_same_request_twice_happens_once_and_says_so(send):
    before = Human.objects.count()
    first, second = send(), send()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert second["Content-Type"] == first["Content-Type"]
    assert Human.objects.count() == before + 1


def test_without_the_header_each_request_is_its_own(send):
    assert send(name=None).json()["id"] != send(name=None).json()["id"]


def test_the_key_of_one_request_does_not_serve_another(send):
    send()
    answer = send('{"name": "a", "size": 2}')
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_name_counts_per_caller_and_per_address(send, issue):
    other = issue(Scope.CASES_WRITE)
    ids = {send().json()["id"], send(by=other).json()["id"], send(to=OTHERS).json()["id"]}
    assert len(ids) == 3


@pytest.mark.parametrize("turned", [False, True])
def test_a_key_and_what_replaced_it_are_one_caller(send, key, alice, turned):
    """Both work for a while: the repeat may come under the other, also past a key between, and in either order."""
    before, keys = Human.objects.count(), [key]
    for _time in range(2):
        row, token = rotate_key(keys[-1].row, overlap=timedelta(hours=1), created_by=alice, by=alice)
        keys.append(SimpleNamespace(row=row, headers={"Authorization": f"Bearer {token}"}))
    answers = [send(by=one) for one in (reversed(keys) if turned else keys)]
    assert [(one.status_code, one.get("Idempotent-Replayed")) for one in answers] == [
        (201, None),
        (201, "true"),
        (201, "true"),
    ]
    assert len({one.content for one in answers}) == 1
    assert Human.objects.count() == before + 1
    assert send('{"name": "a", "size": 2}', by=keys[1]).json()["code"] == "idempotency_key_reused"


def test_behind_a_pooler_no_lock_of_the_connection_is_taken(send, monkeypatch):
    """The one that asks outside commits itself: what a pooler would leave locked, it does not lock."""
    with CaptureQueriesContext(connection) as plain:
        assert send(to=ASKING).status_code == 201
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    with CaptureQueriesContext(connection) as pooled:
        answers = [send(to=ASKING, name="k-2"), send(to=ASKING, name="k-2")]
    assert [one.get("Idempotent-Replayed") for one in answers] == [None, "true"]
    assert answers[0].content == answers[1].content
    assert [any("pg_try_advisory_lock" in one["sql"] for one in found) for found in (plain, pooled)] == [True, False]
    assert not any("pg_advisory_unlock" in one["sql"] for one in pooled)


def test_behind_a_pooler_the_first_reply_of_two_at_once_is_kept(send, key, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    inner = []

    def meanwhile():
        operations.meanwhile = None
        inner.append(send(to=ASKING))

    monkeypatch.setattr(operations, "meanwhile", meanwhile)
    outer = send(to=ASKING)
    assert (outer.status_code, inner[0].status_code, IdempotencyRecord.objects.count()) == (201, 201, 1)
    assert send(to=ASKING).content == inner[0].content


FAILING = '{"name": "Fail", "size": 1}'


def test_what_was_refused_changed_nothing_and_is_refused_again(send, monkeypatch):
    before = Human.objects.count()
    first = send(FAILING)
    monkeypatch.setitem(operations.FAILS_AS, "Fail", lambda: None)  # it would go through now
    second = send(FAILING)
    assert (first.status_code, first.json()["code"]) == (422, "conditions_not_met")
    assert (second.status_code, second.content, second["Content-Type"]) == (422, first.content, first["Content-Type"])
    assert ("Idempotent-Replayed" in first, second["Idempotent-Replayed"]) == (False, "true")
    assert Human.objects.count() == before
    assert send().json()["code"] == "idempotency_key_reused"  # mended: under a key of its own
    assert (send(name="k-2").status_code, send(FAILING, name="k-3").status_code) == (201, 201)


@pytest.mark.parametrize("name", ["missing", "stale", "state", "field", "shredded"])
def test_every_refusal_of_the_operation_itself_is_kept(send, monkeypatch, name):
    monkeypatch.setitem(operations.FAILS_AS, "Fail", operations.FAILURES[name])
    for to in (THINGS, ASKING):
        first, second = send(FAILING, to=to), send(FAILING, to=to)
        assert 400 <= first.status_code < 500 and first.content == second.content
        assert second["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("name", ["denied", "keys"])
def test_what_may_pass_a_moment_later_is_asked_again_under_its_key(send, monkeypatch, name):
    before = Human.objects.count()
    monkeypatch.setitem(operations.FAILS_AS, "Fail", operations.FAILURES[name])
    assert {send(FAILING).status_code for _time in range(2)} <= {403, 503}
    assert (Human.objects.count(), IdempotencyRecord.objects.count()) == (before, 0)
    monkeypatch.setitem(operations.FAILS_AS, "Fail", lambda: None)
    assert send(FAILING).status_code == 201


def test_a_body_that_does_not_fit_is_no_first_request(send):
    assert send('{"name": "a"}').status_code == 422
    assert IdempotencyRecord.objects.count() == 0 and send().status_code == 201


@pytest.mark.parametrize("name", ["", " ", "a b", "ş".encode().decode("latin-1"), "x" * 256])
def test_a_key_that_cannot_be_read_is_refused(send, name):
    assert (send(name=name).status_code, send(name=name).json()["code"]) == (400, "idempotency_key_unreadable")


def test_the_stored_reply_is_not_readable_in_the_database(send):
    made = send().json()["id"].encode()
    assert made not in bytes(IdempotencyRecord.objects.get().body_sealed)


def test_replies_are_kept_for_a_day_at_least(send, key):
    send()
    IdempotencyRecord.objects.update(created_at=Now() - timedelta(hours=47))
    assert forget_old_replies() == 0
    IdempotencyRecord.objects.update(created_at=Now() - timedelta(hours=49))
    assert forget_old_replies() == 1


def test_an_upload_must_say_what_makes_it_the_same():
    upload = RequestFactory().post("/x", {"file": "x"})
    assert upload.POST  # as an operation that takes files reads it
    with pytest.raises(NoFingerprint):
        _digest(upload, None)
    assert _digest(upload, b"digest of the file") != _digest(upload, b"another")


# ------------------------------------------------------------------------------- on a database that keeps commits
@pytest.fixture
def committed_key(migrated, django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        database.a_copy(migrated, "platform") as name,
        database.connected_to(name, cluster=migrated),
        context.use(context.new("test")),
    ):
        tag = secrets.token_hex(4)
        alice = User.objects.create_user(f"alice-{tag}@example.com", name="Alice")
        licensee = Licensee.objects.create(name=tag, slug=tag, jurisdiction="TR")
        expires_at = timezone.now() + timedelta(days=1)
        yield issue_key(
            owner=alice,
            licensee=licensee,
            name="CRM",
            scopes=[Scope.CASES_WRITE],
            expires_at=expires_at,
            created_by=alice,
            by=alice,
        )[1]


def test_fifty_at_once_happen_once(committed_key):
    headers = {"Authorization": f"Bearer {committed_key}", "Idempotency-Key": "k-1"}

    def send(_number):
        try:
            return Client().post(THINGS, THING, content_type="application/json", headers=headers)
        finally:
            connections.close_all()

    before = Human.objects.count()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert Human.objects.count() == before + 1


def test_fifty_refusals_at_once_are_one(committed_key):
    headers = {"Authorization": f"Bearer {committed_key}", "Idempotency-Key": "k-4"}

    def send(_number):
        try:
            return Client().post(THINGS, FAILING, content_type="application/json", headers=headers)
        finally:
            connections.close_all()

    before = Human.objects.count()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(50)))
    refused = [answer for answer in answers if answer.status_code == 422]
    assert {answer.json()["code"] for answer in answers} <= {"conditions_not_met", "idempotency_in_progress"}
    assert len({answer.content for answer in refused}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in refused) == 1
    assert Human.objects.count() == before


def test_whoever_comes_while_the_first_still_runs_is_told_to_wait(committed_key):
    headers = {"Authorization": f"Bearer {committed_key}", "Idempotency-Key": "k-2"}
    api = Client()
    number = lock_number(find_key(committed_key), "POST api/v1/try/things", "k-2")
    with connections["log"].cursor() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number])
        try:
            answer = api.post(THINGS, THING, content_type="application/json", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
            assert answer["Retry-After"] == "1"
        finally:
            other.execute("SELECT pg_advisory_unlock(%s)", [number])
    assert api.post(THINGS, THING, content_type="application/json", headers=headers).status_code == 201


class DiesBeforeItAnswers:
    """Outermost: the act is committed, and whoever sent it never hears."""

    answers: ClassVar = []

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not self.answers:
            self.answers.append(response.content)
            raise SystemExit
        return response


def test_an_answer_that_was_lost_with_the_server_is_given_again(committed_key, settings):
    """F-07: killed after the commit and before the response."""
    settings.MIDDLEWARE = [f"{__name__}.DiesBeforeItAnswers", *settings.MIDDLEWARE]
    DiesBeforeItAnswers.answers.clear()
    headers = {"Authorization": f"Bearer {committed_key}", "Idempotency-Key": "k-3"}
    before = Human.objects.count()
    with pytest.raises(SystemExit):
        Client().post(THINGS, THING, content_type="application/json", headers=headers)
    again = Client().post(THINGS, THING, content_type="application/json", headers=headers)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert [again.content] == DiesBeforeItAnswers.answers
    assert Human.objects.count() == before + 1
