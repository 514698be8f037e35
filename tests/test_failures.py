"""A database that is away: 503 and no traceback, on pages and on the API."""

import pytest

from tests import database


@pytest.fixture
def no_database(migrated, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), database.connected_to("nothing_by_this_name", cluster=migrated):
        yield


@pytest.fixture
def visitor(client):
    client.raise_request_exception = False
    client.cookies["sessionid"] = "a" * 32
    return client


def test_a_page_says_that_nothing_was_changed(no_database, visitor):
    answer = visitor.get("/cases/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Nothing was changed" in answer.content.decode()
    assert "nothing_by_this_name" not in answer.content.decode()


def test_the_api_says_it_in_a_problem(no_database, visitor):
    answer = visitor.get("/api/v1/cases", headers={"Authorization": "Bearer mzn_" + "a" * 40})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in ("database_unavailable", "unavailable")


def test_a_mistake_of_ours_stays_an_error(visitor, monkeypatch):
    monkeypatch.setattr("compliance.people.middleware.PreferencesMiddleware.__call__", lambda *_: 1 / 0)
    assert visitor.get("/accounts/login/").status_code == 500
