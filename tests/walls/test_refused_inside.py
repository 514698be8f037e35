"""A refusal that a view makes itself, further inside than the rule of its route."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from audit.record import record_refusal
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.walls.test_read_only import IN_PIECES

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused():
    """Those from here on; they are written on the second connection, so that no rollback takes them along."""
    entries = Entry.objects.using("log").order_by("id")
    before = entries.values_list("id", flat=True).last() or 0
    return entries.filter(id__gt=before, outcome="refused")


def test_it_is_an_entry_though_nobody_recorded_it(client, world, refused):
    client.force_login(world.carol)
    assert client.get("/mail/").status_code == 403
    (entry,) = refused
    assert (entry.action, entry.log, entry.actor_id) == ("access.deny", "main", str(world.carol.pk))
    assert (entry.object_kind, entry.object_id) == ("route", "cases:mail")
    assert entry.facts["reason"] == {"code": "no_right"}


def test_what_was_recorded_is_not_recorded_twice(client, world, refused):
    client.force_login(world.carol)
    case = world.verification()
    assert client.post(f"/cases/{case.number}/notes/", {"text": "Words."}).status_code == 403
    assert [entry.action for entry in refused] != []
    assert "access.deny" not in {entry.action for entry in refused}


def test_one_that_follows_another_of_the_request_is_an_entry_of_its_own(client, world, refused, monkeypatch):
    def refuse(request):
        record_refusal("cases.assign", by=world.carol, about=world.licensee, reason="not_the_owner")
        raise Denied("no_right")

    monkeypatch.setattr("cases.mail.views.signed_in", refuse)
    client.force_login(world.carol)
    assert client.get("/mail/").status_code == 403
    said = [(entry.action, entry.facts["reason"]["code"]) for entry in refused]
    assert said == [("cases.assign", "not_the_owner"), ("access.deny", "no_right")]


def test_of_an_operation_too(client, world, refused, monkeypatch):
    key, token = issue_key(
        owner=world.alice,
        licensee=world.licensee,
        name="cases",
        scopes=[Scope.DOCUMENTS_WRITE],
        expires_at=timezone.now() + timedelta(days=1),
        created_by=world.alice,
        by=system(),
    )

    def refuse(*given, **more):
        raise Denied("other_customer")

    monkeypatch.setattr("cases.api.get_case", refuse)
    address = f"/api/v1/cases/{world.verification().number}/uploads"
    headers = IN_PIECES | {"Authorization": f"Bearer {token}"}
    assert client.post(address, headers=headers).status_code == 403
    (entry,) = refused
    assert (entry.action, entry.actor_kind, entry.actor_id) == ("access.deny", "key", str(key.pk))
    assert entry.facts["reason"] == {"code": "other_customer"}


@pytest.mark.parametrize(
    ("recorded", "raised", "then"),
    [
        (("no_right", "main"), Denied("no_right", log="aml"), [("access.deny", "aml")]),
        (("no_right", "aml"), Denied("no_right"), []),
        (("not_the_owner", "aml"), Denied("no_right"), [("access.deny", "aml")]),
    ],
)
def test_what_one_log_has_the_other_has_not(client, world, refused, monkeypatch, recorded, raised, then):
    reason, log = recorded

    def refuse(request):
        record_refusal("access.deny", by=world.carol, about=world.licensee, reason=reason, log=log)
        raise raised

    monkeypatch.setattr("cases.mail.views.signed_in", refuse)
    client.force_login(world.carol)
    assert client.get("/mail/").status_code == 403
    assert [(entry.action, entry.log) for entry in refused] == [("access.deny", log), *then]


def test_it_goes_to_the_log_that_it_belongs_to(client, world, refused, monkeypatch):
    def refuse(*given, **more):
        raise Denied("no_right", log="aml")

    monkeypatch.setattr("cases.mail.views.signed_in", refuse)
    client.force_login(world.carol)
    assert client.get("/mail/").status_code == 403
    assert [entry.log for entry in refused] == ["aml"]
