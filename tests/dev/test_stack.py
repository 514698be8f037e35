"""The session's processes: they serve what a test commits, and come back after a kill."""

import urllib.request

import pytest
from django.db import connection, connections

from tests.dev.processes import processes_of_group
from tests.waiting import wait_until


def get(stack, path):
    with urllib.request.urlopen(stack.url + path, timeout=10) as response:
        return response.status


def test_it_is_alive_and_ready(stack):
    assert get(stack, "/healthz") == 200
    assert get(stack, "/readyz") == 200


def test_what_a_test_commits_is_there_for_everybody(committed):
    for alias in ("default", "log"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_database(), current_user")
            assert cursor.fetchone() == (committed.database, "mizan_app")
        assert not connections[alias].in_atomic_block
    ask = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT current_database()'); print(*k)"
    assert committed.database in committed.manage("shell", "--no-imports", "-c", ask)


@pytest.mark.django_db
def test_other_tests_stay_in_their_transaction(stack):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone()[0].startswith("test_")
    assert connection.in_atomic_block


@pytest.mark.slow
@pytest.mark.parametrize(("name", "processes"), [("web", 3), ("worker", 3), ("clock", 1), ("sequencer", 1)])
def test_a_killed_service_leaves_no_process_and_starts_again(stack, name, processes):
    first = stack.pid(name)
    wait_until(lambda: len(processes_of_group(first)) == processes)
    stack.kill(name)
    assert processes_of_group(first) == []
    stack.start(name)
    wait_until(lambda: len(processes_of_group(stack.pid(name))) == processes)
    stack.wait_until_ready()


@pytest.mark.slow
def test_a_killed_database_comes_back_with_what_was_committed(committed):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_session VALUES ('kept over a kill', '', now())")
    committed.kill("database")
    committed.start("database")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session WHERE session_key = 'kept over a kill'")
        assert cursor.rowcount == 1
    committed.wait_until_ready()
