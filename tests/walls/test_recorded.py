"""What cannot be recorded is not shown: each address is asked while the log takes no entry.

Looking, searching, taking out and being refused are entries. Who asks for what would be one, gets an error and nothing
else, whether it would have been a page, a file, an answer of the API or a refusal.
"""

from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

import pytest
from django.db import InternalError
from django.test import Client
from django.utils import timezone

from audit import context
from audit.access import Rule, rule_of
from audit.actors import system
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.walls import matrix
from tests.walls.test_read_only import browser, house, ours, path_of  # noqa: F401 -- a fixture
from tests.whole import times

pytestmark = pytest.mark.django_db


@contextmanager
def a_full_log():
    """A log that takes nothing; the list grows by one for each entry that somebody tried to write."""
    tried = []

    def refuse(connection, statement, values):
        tried.append(values[5])
        raise InternalError("no room")

    with mock.patch("audit.record.execute", refuse):
        yield tried


def shown(asking, addresses):
    """What answered although its entry was not written, or refused without one; how many addresses owed one."""
    wrong, owed = [], 0
    with a_full_log() as tried:
        for address in addresses:
            tried.clear()
            answer = asking.get(address)
            owed += bool(tried)
            if (tried and answer.status_code < 500) or answer.status_code == 403:
                wrong.append((address, answer.status_code, *tried))
    return wrong, owed


def test_no_page_is_shown_that_cannot_be_recorded(house):  # noqa: F811
    """Each as the auditor, where they get in, else as the lead; a refusal is the same wall for all of them."""
    world, case, known = house
    pages = [route for route in matrix.routes() if ours(route) and "GET" in route.methods][:: times(1, 4)]
    first = [path_of(route, known) for route in pages if let_in(world.carol, route)]
    second = [
        path_of(route, known) for route in pages if path_of(route, known) not in first if let_in(world.bob, route)
    ]
    refused = next(path_of(route, known) for route in pages if not let_in(world.carol, route))
    wrong, owed = shown(browser(world.carol), [*first, refused, f"/search/?q={case.number}"])
    assert wrong == []
    assert owed > times(30, 7), owed
    wrong, _owed = shown(browser(world.bob), second)
    assert wrong == []


def let_in(user, route):
    needed = rule_of(SimpleNamespace(func=route.view, view_name=route.name))
    return needed == Rule.SIGNED_IN or user.has_perm(str(needed))


def test_no_operation_answers_that_cannot_be_recorded(house):  # noqa: F811
    world, _case, known = house
    with context.use(context.new("test")):
        _key, secret = issue_key(
            owner=world.alice,
            licensee=world.licensee,
            name="all",
            scopes=[scope.value for scope in Scope],
            expires_at=timezone.now() + timedelta(days=1),
            created_by=world.alice,
            by=system(),
        )
    caller = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    operations = [path_of(route, known) for route in matrix.routes() if route.operations and "GET" in route.methods]
    wrong, owed = shown(caller, operations)
    assert wrong == []
    assert owed >= 3, owed
