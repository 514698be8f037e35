"""What becomes an event, and what it says: nothing of who set a stop, nor why (security T16; practice, principle 4)."""

import json
from datetime import timedelta

import jsonschema_rs
import pytest
from django.conf import settings
from django.utils import timezone

from compliance.outbox.models import OutboxRow
from compliance.people.models import Restriction
from compliance.people.restrictions import lift
from compliance.people.services import restrict
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.platform.webhooks import catalogue
from compliance.platform.webhooks.delivering import claim
from compliance.platform.webhooks.events import UnknownEvent, body_of, emit
from compliance.platform.webhooks.models import Event

TYPES = sorted(catalogue.types().values(), key=lambda one: one.name)


@pytest.fixture
def feed(world, client):
    owner = world.bob
    expires_at = timezone.now() + timedelta(days=1)
    facts = {"licensee": world.licensee, "name": "CRM", "scopes": [Scope.EVENTS_READ], "expires_at": expires_at}
    _key, token = issue_key(owner=owner, created_by=owner, by=owner, **facts)

    def feed(**query):
        return client.get("/api/v1/events", query, headers={"Authorization": f"Bearer {token}"})

    return feed


def stop(account, world, **facts):
    given = {"stops": ["withdraw"], "cover_code": "check", "source": "verification", "by": world.bob}
    return restrict(account, **given | facts)


@pytest.mark.parametrize("event", TYPES, ids=lambda one: one.name)
def test_every_sample_fits_its_schema(event):
    jsonschema_rs.validator_for(dict(event.schema)).validate(dict(event.sample))
    assert event.title


def test_a_stop_and_its_end_are_told(world, endpoint, passed_on):
    account = world.account()
    row = stop(account, world)
    lift(row, by=world.bob, reason="mistaken")
    deliveries = passed_on()
    assert len(deliveries) == 2
    body = json.loads(body_of(deliveries[0].event, world.licensee.slug))
    jsonschema_rs.validator_for(catalogue.envelope(catalogue.types()["account.gate.changed"])).validate(body)
    assert body["data"] == {"account": account.reference, "brand": "brand"}


def test_a_stop_of_the_aml_side_is_told_as_any_other(world, endpoint, passed_on):
    """The twin under a routine hold: the same events, the same bytes but for what names the account and the event."""
    mine, twin = world.account(), world.account()
    stop(mine, world, source="monitoring", log="aml", reason="flag", matter="AML-26-000001-1")
    stop(twin, world)
    told = [(one.event.type, claim(one.pk).body) for one in passed_on()]
    bare = []
    for kind, body in told:
        event = json.loads(body)
        bare.append((kind, len(body), event | {"id": "", "timestamp": "", "data": sorted(event["data"])}))
    assert len(bare) == 2
    assert bare[0] == bare[1]
    assert all(word not in body for _kind, body in told for word in (b"monitoring", b"flag", b"AML", b"check"))
    rows = OutboxRow.objects.filter(kind="people.gate_changed")
    assert {tuple(row.payload) for row in rows} == {("restriction_id",)}


def test_every_account_that_a_stop_reaches_is_told_of_at_its_own_licensee(world, endpoint, passed_on):
    account = world.account()
    stop(account.customer.person, world)
    assert [one.event.data["account"] for one in passed_on()] == [account.reference]
    assert Event.objects.filter(licensee=world.licensee).count() == Event.objects.count() == 1


def test_what_time_alone_changes_is_told_at_its_time(world, endpoint, passed_on):
    now = timezone.now()
    stop(world.account(), world, starts_at=now + timedelta(hours=1), until=now + timedelta(hours=2))
    assert len(passed_on()) == 1
    OutboxRow.objects.open().update(due_at=now - timedelta(seconds=1))
    assert len(passed_on()) == 3
    assert Restriction.objects.count() == 1


def test_an_endpoint_gets_what_it_chose_and_nothing_of_others(world, endpoint, passed_on):
    type(endpoint.row).objects.update(types=["platform.test"])
    stop(world.account(), world)
    assert passed_on() == []
    assert Event.objects.count() == 1


def test_an_event_that_no_schema_knows_is_refused(world):
    with pytest.raises(UnknownEvent):
        emit("account.secret", licensee_id=world.licensee.pk, data={})
    with pytest.raises(ValueError, match="account, brand"):
        emit("account.gate.changed", licensee_id=world.licensee.pk, data={"account": "x", "name": "Işıl"})


def test_a_platform_that_was_away_catches_up_page_by_page(world, feed):
    """Nothing left out and nothing twice, though more comes while it reads."""
    made = []

    def add():
        data = {"account": f"P-{len(made)}", "brand": "brand"}
        made.append(emit("account.gate.changed", licensee_id=world.licensee.pk, data=data).public_id)

    for _event in range(7):
        add()
    read, after, more = [], {}, True
    while more:
        page = feed(limit=2, **after).json()
        read += [one["id"] for one in page["items"]]
        after, more = {"after": page["next"]}, page["has_more"]
        if len(made) < 10:
            add()
    assert read == made
    nothing_new = feed(**after).json()
    assert nothing_new == {"items": [], "has_more": False, "next": after["after"]}


def test_the_feed_is_the_licensees_own_of_thirty_days(world, feed):
    data = {"account": "P-1", "brand": "brand"}
    mine = emit("account.gate.changed", licensee_id=world.licensee.pk, data=data)
    emit("account.gate.changed", licensee_id=world.mallory.memberships.get().team.queues.get().licensee.pk, data=data)
    emit("platform.test", licensee_id=world.licensee.pk, data={"endpoint": "x"})
    assert [one["id"] for one in feed().json()["items"]] == [mine.public_id]
    assert feed(type="platform.test").json()["items"] == []
    Event.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert feed().json()["items"] == []
    assert feed(after="evt_" + "0" * 32).status_code == 422


def test_every_event_has_its_section_in_the_reference():
    page = (settings.BASE_DIR / "docs" / "reference" / "events.md").read_text()
    assert [event.name for event in TYPES if f"\n## {event.name}\n" not in page] == []
