"""Signed messages from outside: genuine, now, once, and never older than what came before."""

import json
import secrets
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import context
from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.outbox.models import OutboxRow
from compliance.platform.inbound import kinds, services
from compliance.platform.inbound.models import Mark, Message
from compliance.platform.webhooks import signing
from tests.world import a_world

pytestmark = pytest.mark.django_db
SEEN = []


def _worker(message):
    SEEN.append(message.body)
    return "applied" if services.advance(message.sender, message.body["thing"], message.body["version"]) else "late"


if "test" not in kinds.known():
    kinds.register("test", _worker)


@pytest.fixture
def sender(db):
    with context.use(context.new("test")):
        world = a_world()
        made = services.add_sender(
            licensee=world.licensee, kind="test", name="Vendor", created_by=world.bob, by=world.bob
        )
        SEEN.clear()
        yield made


def send(client, sender, body, *, message_id=None, at=None, secret=None, raw=None):
    row, known = sender
    body = raw if raw is not None else json.dumps(body).encode()
    head = signing.headers([secret or known], message_id or f"msg_{secrets.token_hex(6)}", int(at or time.time()), body)
    return client.post(f"/inbound/{row.pk}/", body, content_type="application/json", headers=head)


def work_all():
    for row in OutboxRow.objects.filter(kind=services.ROW, done_at=None).order_by("created_at"):
        services.work(row)
        OutboxRow.objects.filter(pk=row.pk).update(done_at=Now())


def test_a_genuine_message_is_kept_once_worked_on_once_and_emptied(client, sender):
    body = {"thing": "a", "version": 1}
    assert send(client, sender, body, message_id="m1").status_code == 202
    assert SEEN == []
    assert b"thing" not in bytes(Message.objects.get().body_sealed)
    assert send(client, sender, body, message_id="m1").status_code == 200
    assert send(client, sender, {"thing": "b", "version": 1}, message_id="m1").status_code == 409
    work_all()
    services.work(OutboxRow.objects.get(kind=services.ROW))
    assert [body] == SEEN
    kept = Message.objects.get()
    assert (kept.body_sealed, kept.came_to) == (None, "applied")
    assert send(client, sender, body, message_id="m1").status_code == 200
    assert Entry.objects.filter(action="inbound.receive").count() == 1


def test_what_is_not_genuine_or_not_now_changes_nothing(client, sender):
    row, _secret = sender
    body = {"thing": "a", "version": 1}
    assert send(client, sender, body, secret=signing.new_secret()).status_code == 401
    assert send(client, sender, body, at=time.time() - 301).status_code == 401
    assert send(client, sender, body, at=time.time() + 301).status_code == 401
    assert client.post(f"/inbound/{row.pk}/", b"{}", content_type="application/json").status_code == 401
    stranger = f"/inbound/{'0' * 8}-0000-4000-8000-{'0' * 12}/"
    assert client.post(stranger, b"{}", content_type="application/json").status_code == 401
    assert send(client, sender, None, raw=b"[1]").status_code == 422
    assert send(client, sender, None, raw=b"{").status_code == 422
    assert client.get(f"/inbound/{row.pk}/").status_code == 405
    too_large = client.post(f"/inbound/{row.pk}/", b" " * (services.LARGEST + 1), content_type="application/json")
    assert too_large.status_code == 413
    services.disable_sender(row, by=system())
    assert send(client, sender, body).status_code == 401
    assert not Message.objects.exists()


def test_an_id_is_known_for_seven_days(client, sender):
    send(client, sender, {"thing": "a", "version": 1}, message_id="m1")
    Message.objects.update(received_at=Now() - timedelta(days=8))
    assert services.forget_old() == 0, "it was not worked on yet"
    work_all()
    assert services.forget_old() == 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_the_newest_version_stays_in_whatever_order_they_come(sender, versions):
    row, thing = sender[0], secrets.token_hex(8)
    applied = [version for version in versions if services.advance(row, thing, version)]
    assert applied == sorted(set(applied))
    assert applied[-1] == max(versions) == Mark.objects.get(sender=row, thing=thing).version


def test_an_older_version_never_overwrites_a_newer(client, sender):
    for version in (2, 1, 2, 5, 3):
        send(client, sender, {"thing": "a", "version": version})
    send(client, sender, {"thing": "b", "version": 1})
    work_all()
    assert dict(Mark.objects.values_list("thing", "version")) == {"a": 5, "b": 1}
    came = list(Message.objects.order_by("received_at").values_list("came_to", flat=True))
    assert came == ["applied", "late", "late", "applied", "late", "applied"]


def test_a_sender_is_added_listed_and_stopped_by_command(sender):
    row, _secret = sender
    world_user = row.created_by.email
    out = StringIO()
    given = ["--licensee", row.licensee.slug, "--by", world_user]
    call_command("inbound", "add", *given, "--kind", "test", "--name", "Other", stdout=out)
    made = json.loads(out.getvalue())
    assert made["secret"].startswith("whsec_")
    with pytest.raises(CommandError, match="kind"):
        call_command("inbound", "add", *given, "--kind", "nonsense", "--name", "X")
    with pytest.raises(ValidationError, match="name"):
        services.add_sender(
            licensee=row.licensee, kind="test", name="Other", created_by=row.created_by, by=row.created_by
        )
    call_command("inbound", "disable", made["id"], "--by", world_user)
    out = StringIO()
    call_command("inbound", "list", stdout=out)
    assert {one["name"]: one["disabled"] for one in json.loads(out.getvalue())} == {"Vendor": False, "Other": True}


def test_a_secret_is_exchanged_without_a_gap(client, sender):
    row, former = sender
    out = StringIO()
    call_command("inbound", "exchange", str(row.pk), "--by", row.created_by.email, stdout=out)
    new = json.loads(out.getvalue())["secret"]
    assert new != former
    for secret in (former, new):
        assert send(client, sender, {"thing": "t"}, secret=secret).status_code == 202
    type(row).objects.filter(pk=row.pk).update(former_until=Now() - timedelta(seconds=1))
    assert send(client, sender, {"thing": "t"}, secret=former).status_code == 401
    assert send(client, sender, {"thing": "t"}, secret=new).status_code == 202
    entry = Entry.objects.get(action="inbound.exchange_secret")
    assert new.encode() not in bytes(entry.entry) and former.encode() not in bytes(entry.entry)
    services.disable_sender(row, by=system())
    with pytest.raises(CommandError, match="no sender"):
        call_command("inbound", "exchange", str(row.pk), "--by", row.created_by.email)


def test_a_second_exchange_waits_for_the_former_secret_or_ends_it_at_once(client, sender):
    row, first = sender
    second = services.exchange_secret(row, by=system())
    with pytest.raises(ConditionsNotMet, match="still holds"):
        services.exchange_secret(row, by=system())
    assert [send(client, sender, {"thing": "t"}, secret=one).status_code for one in (first, second)] == [202, 202]
    third = services.exchange_secret(row, by=system(), overlap=timedelta(0))
    works = [send(client, sender, {"thing": "t"}, secret=one).status_code for one in (first, second, third)]
    assert works == [401, 401, 202]
    row.refresh_from_db()
    assert (row.former_secret_sealed, row.former_until) == (None, None)


def test_a_former_secret_is_emptied_once_it_is_over_and_not_before(sender):
    row, _secret = sender
    services.exchange_secret(row, by=system())
    services.forget_old()
    row.refresh_from_db()
    assert row.former_secret_sealed is not None
    type(row).objects.filter(pk=row.pk).update(former_until=Now() - timedelta(seconds=1))
    services.forget_old()
    row.refresh_from_db()
    assert (row.former_secret_sealed, row.former_until) == (None, None)
    services.exchange_secret(row, by=system())


@pytest.mark.parametrize(
    ("wrong", "words"), [(["no-id"], "is no id"), (["", "--hours", "-1"], "hours"), (["", "--hours", "169"], "hours")]
)
def test_the_command_says_what_does_not_fit(sender, wrong, words):
    row, _secret = sender
    with pytest.raises(CommandError, match=words) as refused:
        call_command("inbound", "exchange", wrong[0] or str(row.pk), *wrong[1:], "--by", row.created_by.email)
    assert refused.value.returncode == 2
    row.refresh_from_db()
    assert row.former_until is None


def test_an_id_that_is_too_long_is_refused_for_two_could_begin_alike(client, sender):
    long = "m" * 120
    assert send(client, sender, {"thing": "a"}, message_id=long).status_code == 202
    assert send(client, sender, {"thing": "b"}, message_id=f"{long}1").status_code == 401
    assert Message.objects.count() == 1
