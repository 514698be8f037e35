"""A runaway client is stopped, and told when to come back (experience W6)."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from compliance.platform import limits
from compliance.platform.limits import RateLimit
from compliance.platform.scopes import Scope


class Clock:
    def __init__(self):
        self.now = 1_000_020.0  # a minute of the clock begins

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_requests_over_the_limit_are_exceeded_until_the_next_minute(db, clock):
    limit = RateLimit(clock)
    stands = [limit.hit("k", 3) for _request in range(4)]
    assert [one.exceeded for one in stands] == [False, False, False, True]
    assert stands[1].headers == {"RateLimit-Limit": "3", "RateLimit-Remaining": "1", "RateLimit-Reset": "60"}
    clock.now += 60
    assert not limit.hit("k", 3).exceeded


def test_callers_do_not_count_for_each_other(db, clock):
    limit = RateLimit(clock)
    limit.hit("a", 1)
    assert not limit.hit("b", 1).exceeded


def test_processes_share_one_count_to_the_second(db, clock):
    one, other = RateLimit(clock), RateLimit(clock)
    for process in (one, other):
        for _request in range(5):
            process.hit("k", 100)
    clock.now += 1
    assert one.hit("k", 100).used == 7  # its six and the one that the other told at first
    assert other.hit("k", 100).used == 12


def test_a_request_costs_a_query_only_once_a_second(db, clock, django_assert_num_queries):
    limit = RateLimit(clock)
    limit.hit("k", 100)
    with django_assert_num_queries(0):
        for _request in range(50):
            limit.hit("k", 100)


def test_a_cache_that_is_away_does_not_close_the_gate(db, clock, monkeypatch, caplog):
    def away(*args, **options):
        raise OSError("redis://secret")

    monkeypatch.setattr(limits.cache, "add", away)
    limit = RateLimit(clock)
    assert [limit.hit("k", 1).exceeded, limit.hit("k", 1).exceeded] == [False, True]
    assert "secret" not in caplog.text


def test_a_key_that_calls_too_often_gets_429(api, issue):
    cache.clear()
    key = issue(Scope.PING, rate_per_minute=2)
    answers = [api.get("/api/v1/ping", headers=key.headers) for _request in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Remaining"] == "1"
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert answers[2].json()["code"] == "too_many_requests"


def test_a_key_without_a_limit_is_not_counted(api, issue):
    key = issue(Scope.PING, rate_per_minute=None)
    assert "RateLimit-Limit" not in api.get("/api/v1/ping", headers=key.headers)


def test_who_has_half_of_a_key_calls_no_oftener_than_its_owner(api, issue):
    cache.clear()
    key = issue(Scope.PING, rate_per_minute=2, signs=True)
    half = {"Authorization": "Bearer " + key.token.split(".")[0]}
    assert [api.get("/api/v1/ping", headers=half).status_code for _request in range(4)] == [401, 401, 429, 429]


def test_no_number_of_other_rows_takes_a_count_out_of_the_database(db):
    """The cache without CACHE_URL: Django's own removes the lowest third of the names above 300 rows."""
    assert settings.CACHES["default"]["OPTIONS"]["MAX_ENTRIES"] == 1_000_000
    cache.clear()
    cache.set("a-count", 7, timeout=60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM cache")
        [(value,)] = cursor.fetchall()
        cursor.execute(
            "INSERT INTO cache SELECT ':1:junk' || n, %s, now() + (n - 399.5) * interval '1 minute'"
            " FROM generate_series(1, 800) n",
            [value],
        )
    assert cache.add("z-one-more", True)
    assert cache.get("a-count") == 7
    assert limits.forget_ended() == 399  # what ended goes, and that alone
    assert (cache.get("a-count"), cache.get("junk400"), cache.get("junk399")) == (7, 7, None)
