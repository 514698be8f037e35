"""The same request twice happens once (experience W1, security F-07)."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now
from django.test import Client, RequestFactory
from django.utils import timezone

from audit import context
from compliance.people.models import Human, Licensee, User
from compliance.platform.idempotency import NoFingerprint, _digest, lock_number
from compliance.platform.models import IdempotencyRecord
from compliance.platform.scopes import Scope
from compliance.platform.services import find_key, forget_old_replies, issue_key
from tests import database

pytestmark = pytest.mark.urls("tests.platform.operations")
THINGS, OTHERS = "/api/v1/try/things", "/api/v1/try/others"
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


def test_what_failed_changed_nothing_and_can_be_sent_again(send):
    before = Human.objects.count()
    failing = '{"name": "Fail", "size": 1}'
    assert [send(failing).status_code, send(failing).status_code] == [422, 422]
    assert (Human.objects.count(), IdempotencyRecord.objects.count()) == (before, 0)
    assert send().status_code == 201


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
