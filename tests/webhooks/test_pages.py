"""Administrators look after endpoints: the secret is shown once, the address stays out of the open log."""

import re

import pytest
from django.urls import reverse
from standardwebhooks.webhooks import Webhook

from audit.models import Entry
from compliance.platform.webhooks.delivering import deliver
from compliance.platform.webhooks.models import Delivery, Endpoint
from compliance.platform.webhooks.services import secrets_of

LIST, NEW = reverse("platform:webhooks:endpoints"), reverse("platform:webhooks:new")


@pytest.fixture
def admin(world, client):
    client.force_login(world.dave)
    return client


def at(name, *args):
    return reverse(f"platform:webhooks:{name}", args=args)


def test_an_endpoint_is_added_and_its_secret_shown_once(admin, world, receiver):
    facts = {"licensee": str(world.licensee.pk), "name": "CRM", "url": receiver.url}
    shown = admin.post(NEW, facts).content.decode()
    endpoint = Endpoint.objects.get()
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", shown)[0]
    assert secrets_of(endpoint) == (secret,)
    for page in (LIST, at("endpoint", endpoint.pk)):
        content = admin.get(page).content.decode()
        assert "CRM" in content and "whsec_" not in content
    entry = Entry.objects.get(action="webhooks.add_endpoint")
    assert b"token=abc" not in bytes(entry.entry) and secret.encode() not in bytes(endpoint.secret_sealed)


@pytest.mark.parametrize(
    "url",
    [
        *("", "platform.example.com", "ftp://x.example/", "https://user:pw@x.example/", "https://x.example/#a"),
        *("http://169.254.169.254/latest/", "http://[fe80::1]/", "https://x.example:99999/", "https://ş.example/"),
        *("javascript:alert(1)", "https://x.example/\\a", "https://x.example/a b", "x" * 600),
    ],
)
def test_what_is_no_address_of_a_platform_is_refused_with_words(admin, world, url):
    answer = admin.post(NEW, {"licensee": str(world.licensee.pk), "name": "CRM", "url": url})
    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)
    assert 'class="wrong"' in answer.content.decode()


def test_a_test_event_arrives_and_the_log_shows_what_the_receiver_said(admin, endpoint, receiver):
    assert admin.post(at("test", endpoint.row.pk)).status_code == 302
    delivery = Delivery.objects.get()
    assert "Waits" in admin.get(at("endpoint", endpoint.row.pk)).content.decode()
    deliver(delivery.pk)
    body, headers = receiver.got[0][2], {name.lower(): value for name, value in receiver.got[0][1].items()}
    assert Webhook(endpoint.secret).verify(body, headers)["type"] == "platform.test"
    page = admin.get(at("delivery", delivery.pk)).content.decode()
    assert "200" in page and "ok" in page and delivery.event.public_id in page
    assert admin.post(at("resend", delivery.pk)).status_code == 302
    assert deliver(delivery.pk) is True
    assert len(receiver.got) == 2


def test_switching_off_and_on_changing_and_exchanging_are_recorded(admin, endpoint):
    pk = endpoint.row.pk
    admin.post(at("switch", pk), {"to": "off"})
    assert Endpoint.objects.get().disabled_because == "staff"
    assert admin.post(at("test", pk), follow=True).content.decode().count("Switch it on first") == 1
    admin.post(at("switch", pk), {"to": "on"})
    changed = {"name": "Platform", "url": endpoint.row.url, "types": ["account.gate.changed"]}
    assert admin.post(at("change", pk), changed).status_code == 302
    assert admin.post(at("change", pk), changed | {"url": "x"}).status_code == 422
    assert "whsec_" in admin.post(at("exchange", pk)).content.decode()
    assert len(secrets_of(Endpoint.objects.get())) == 2
    entries = Entry.objects.filter(object_id=str(pk)).exclude(action="webhooks.list").order_by("id")
    assert [entry.action.removeprefix("webhooks.") for entry in entries] == [
        *("add_endpoint", "disable_endpoint", "enable_endpoint", "change_endpoint", "exchange_secret")
    ]


def test_missed_ones_are_chosen_by_days(admin, endpoint):
    address = at("resend-failed", endpoint.row.pk)
    page = admin.post(address, {"since": "", "until": "x"})
    assert page.status_code == 422
    assert re.findall(r'<label for="id_(?:since|until)">([^<]+)<', page.content.decode()) == ["From", "To"]
    assert admin.post(address, {"since": "2026-01-01", "until": "2026-01-02"}).status_code == 302


def test_the_events_there_are_stand_on_a_page(admin):
    page = admin.get(at("events")).content.decode()
    assert "account.gate.changed" in page and "evt_[0-9a-f]{32}" in page


@pytest.mark.parametrize("state", ["", "open", "given_up", "delivered", "nonsense"])
@pytest.mark.parametrize("number", ["", "1", "x"])
def test_the_log_takes_whatever_address(admin, endpoint, state, number):
    assert admin.get(at("endpoint", endpoint.row.pk), {"state": state, "page": number}).status_code == 200


@pytest.mark.parametrize("person", ["alice", "bob", "carol"])
def test_it_is_for_administrators(world, client, endpoint, person):
    client.force_login(getattr(world, person))
    pk = endpoint.row.pk
    for page in (LIST, NEW, at("events"), at("endpoint", pk), at("change", pk)):
        assert client.get(page).status_code == 403
    for act in ("exchange", "switch", "test", "resend-failed"):
        assert client.post(at(act, pk)).status_code == 403
