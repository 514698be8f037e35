"""Heavy acts ask for a fresh sign-in: who takes a list away as a file, exchanges a secret, or changes the rules."""

import ast
import inspect
import time
import uuid

import pytest
from django.test import RequestFactory
from django.urls import reverse

from audit import context
from compliance.people.access.confirmation import SIGNED_IN_AT
from tests.architecture.test_routes import ROUTES
from tests.walls.matrix import _person
from tests.world import an_administrator

BACKEND = "compliance.people.access.backend.StaffBackend"


def takes_a_file(view):
    """Whether the view, or a function of its module that it names, answers with a CSV."""
    view = inspect.unwrap(view)
    module = ast.parse(inspect.getsource(inspect.getmodule(view)))
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    waiting, seen = [view.__name__], set()
    while waiting:
        name = waiting.pop()
        if name not in functions or name in seen:
            continue
        seen.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Constant) and "text/csv" in str(node.value):
                return True
            if isinstance(node, ast.Name):
                if node.id == "csv_response":
                    return True
                waiting.append(node.id)
    return False


OURS = ("audit.", "cases.", "compliance.", "documents.")
FILES = {
    pattern.name: pattern.callback
    for _route, pattern in ROUTES
    if pattern.callback.__module__.startswith(OURS)
    and inspect.isfunction(inspect.unwrap(pattern.callback))
    and takes_a_file(pattern.callback)
}


def test_the_files_there_are_were_found():
    assert {"population", "delays", "counts", "people", "lookers", "batch-result", "take-list"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_whoever_answers_with_a_csv_is_fresh(name):
    """Of what only sometimes is a file, the question says yes to the request that asks for one."""
    fresh = getattr(FILES[name], "fresh", False)
    asks = [RequestFactory().post("/"), RequestFactory().get("/", {"as": "csv"})]
    assert fresh is True or (callable(fresh) and any(fresh(request) for request in asks)), f"{name} takes a file away"


@pytest.fixture
def hours_later(client):
    """The browser of somebody who signed in three hours ago."""

    def signed_in(user):
        client.force_login(user, backend=BACKEND)
        session = client.session
        session[SIGNED_IN_AT] = time.time() - 3 * 3600
        session["account_authentication_methods"] = []
        session.save()
        return client

    return signed_in


def asks_again(answer):
    return answer.status_code == 302 and "/reauthenticate/" in answer.headers["Location"]


@pytest.mark.parametrize("page", ["cases:population", "cases:delays", "platform:counts"])
def test_hours_later_a_list_is_shown_and_not_taken(page, world, hours_later):
    client, about = hours_later(world.carol), {"from": "2026-01-01"}
    assert not asks_again(client.get(reverse(page), about))
    assert asks_again(client.post(reverse(page), {"reason": "The audit of the year asks for it."}))


@pytest.mark.parametrize("act", ["new", "change", "exchange", "switch"])
def test_hours_later_no_endpoint_is_touched(act, world, hours_later):
    client = hours_later(an_administrator(world))
    assert not asks_again(client.get(reverse("platform:webhooks:endpoints")))
    address = reverse(f"platform:webhooks:{act}", args=[] if act == "new" else [uuid.uuid4()])
    assert asks_again(client.post(address))


@pytest.mark.parametrize(("act", "part"), [("change", "slug"), ("propose", "code"), ("withdraw", "code")])
def test_hours_later_no_rule_is_changed(act, part, world, hours_later):
    client = hours_later(world.bob)
    assert asks_again(client.post(reverse(f"rulebook:{act}", kwargs={part: "anything"})))


@pytest.mark.parametrize("act", ["propose", "shadow", "retire"])
def test_hours_later_no_rule_of_monitoring_goes_on_and_others_learn_nothing(act, world, hours_later):
    address = reverse(f"cases:monitoring-rule-{act}", args=["any-rule", 1])
    assert hours_later(world.alice).post(address).status_code == 404
    with context.use(context.new("test")):
        analyst = _person(world, "selin", "analyst")
    assert asks_again(hours_later(analyst).post(address))
