"""Every POST of the product takes an Idempotency-Key, or stands here with the reason why it need not."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from cases.types.gaming.registers import services as registers
from cases.types.gaming.registers.adapters import Answer
from compliance.api import api as product_api
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.papers import a_file
from tests.world import a_world

NEED_NONE = {
    "check_limits": "asks only; with reserve its source_id counts once",
    "release_reservation": "its source_id is released once",
    "begin_upload": "nothing is handed in before the last byte",
}


@pytest.fixture
def house(in_context, db):
    """A licensee with players, and a key of its platform."""
    world = a_world()
    expires_at = timezone.now() + timedelta(days=1)
    facts = {"owner": world.bob, "licensee": world.licensee, "name": "CRM", "created_by": world.bob, "by": world.bob}
    _key, token = issue_key(**facts, scopes=list(Scope), expires_at=expires_at)
    return SimpleNamespace(world=world, headers={"Authorization": f"Bearer {token}"})


def posts():
    paths = product_api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return [(path, verbs["post"]) for path, verbs in sorted(paths.items()) if "post" in verbs]


def filled(path, operation, case):
    """The address with its own examples; the case is one that exists, for an upload is read before its key is."""
    known = {one["name"]: one["example"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    return path.format(**known | {"number": case.number})


@pytest.mark.parametrize(("path", "operation"), posts(), ids=lambda one: one if isinstance(one, str) else "")
def test_a_key_that_cannot_be_read_is_refused_wherever_it_counts(api, house, path, operation):
    """An operation that ignored the header would do its work, or say that its account is not there."""
    case = house.world.verification("L1")
    sent = {"headers": house.headers | {"Idempotency-Key": "two words"}}
    body = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in body:
        sent["data"] = {"file": SimpleUploadedFile("a.jpg", a_file()), "purpose": "x", "document_type": "y"}
    else:
        sent |= {"data": body["application/json"]["example"] if body else {}, "content_type": "application/json"}
    answer = api.post(filled(path, operation, case), **sent)
    refused = (answer.status_code, answer.json().get("code")) == (400, "idempotency_key_unreadable")
    assert refused != (operation["operationId"] in NEED_NONE), answer.content


class Register:
    """Says clear, and counts how often it is asked, and whether a transaction stands open meanwhile."""

    def __init__(self):
        self.asked, self.open = 0, []

    def ask(self, who):
        self.asked += 1
        self.open.append(len(connection.savepoint_ids))
        return Answer(listed=False, reference="r-1")


def test_a_register_is_asked_once_under_one_key(api, house, monkeypatch):
    register = Register()
    monkeypatch.setattr(registers, "register_of", lambda name: register)
    monkeypatch.setattr(registers, "registers_of", lambda policy: ("SPELPAUS",))
    monkeypatch.setattr(registers, "after", lambda at, period, licensee: at + timedelta(hours=1))
    monkeypatch.setattr(registers, "needed", lambda rules, name: ["play"] if name == "stops" else None)
    account = house.world.account()

    def ask(name):
        headers = house.headers | ({"Idempotency-Key": name} if name else {})
        return api.post(f"/api/v1/accounts/{account.reference}/register-checks", headers=headers)

    first, second = ask("k-1"), ask("k-1")
    assert first.status_code == 200 and first.json()[0]["register"] == "SPELPAUS"
    assert (second.content, second["Idempotent-Replayed"], register.asked) == (first.content, "true", 1)
    assert Entry.objects.filter(action="gaming.ask_register").count() == 1
    assert ask("k-2").json()[0]["answer"] == "clear" and ask(None).status_code == 200
    assert register.asked == 3 and set(register.open) == {len(connection.savepoint_ids)}


def test_the_link_of_a_player_is_made_once_under_one_key(api, house):
    address = f"/api/v1/accounts/{house.world.account().reference}/player-links"
    said = [
        api.post(address, headers=house.headers | {"Idempotency-Key": name}).json() for name in ("k-1", "k-1", "k-2")
    ]
    assert said[0] == said[1] != said[2]
    assert Entry.objects.filter(action="limits.make_link").count() == 2
